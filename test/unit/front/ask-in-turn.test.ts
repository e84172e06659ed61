import { describe, expect, test } from 'vitest';
import { askInTurn } from '../../../services/front/dispatch/ask-in-turn.ts';
import type { Asker, Respondent, Turn } from '../../../services/front/dispatch/ask-in-turn.ts';
import type { Decision, Facts } from '../../../services/protocol/dispatch/messages.ts';

const facts: Facts = { kind: 'locate', callee: { address: 'ada@c1.test', number: null } };
const found: Decision = { kind: 'refused', status: 403, reason: 'Forbidden' };
const notReady: Decision = { kind: 'refused', status: 503, reason: 'Service Unavailable' };
const challenge = {
  kind: 'challenge',
  realm: 'c1.test',
  nonce: 'n',
  algorithm: 'MD5',
  stale: false,
} as const;
const notMine = (challenged = false): Decision => ({
  kind: 'not-mine',
  challenge: challenged ? challenge : null,
});

/** A processor that says what the test has it say. */
class Scripted implements Respondent {
  readonly name: string;
  readonly #atOnce: boolean;
  asker: Asker | undefined;

  constructor(name: string, atOnce = false) {
    this.name = name;
    this.#atOnce = atOnce;
  }

  ask(_: Facts, asker: Asker): void {
    this.asker = asker;
    if (this.#atOnce) asker.decide(undefined);
  }
}

function asking(...respondents: Scripted[]) {
  let turn: Turn<Scripted> | undefined;
  const done = askInTurn(respondents, facts).then((outcome) => (turn = outcome));
  return { done, soFar: async () => (await Promise.resolve(), await Promise.resolve(), turn) };
}

describe('asking processors in turn', () => {
  test('asks no second one while the first may still decide, and none after it has', async () => {
    const [home, standby] = [new Scripted('home'), new Scripted('standby')];
    const { done } = asking(home, standby);
    expect(standby.asker).toBeUndefined();
    home.asker?.decide(found);
    expect(await done).toEqual({ kind: 'decided', decision: found, by: home });
    home.asker?.late();
    expect(standby.asker).toBeUndefined();
  });

  test.each([
    ['says it is not his', notMine()],
    ['says nothing', undefined],
    ['is not ready', notReady],
  ])('asks the second when the first %s', async (_, decision) => {
    const [home, standby] = [new Scripted('home'), new Scripted('standby')];
    const { done } = asking(home, standby);
    home.asker?.decide(decision);
    standby.asker?.decide(found);
    expect(await done).toMatchObject({ kind: 'decided', by: standby });
  });

  test('asks the second beside a late first, once, and takes whoever decides', async () => {
    for (const winner of [0, 1]) {
      const pair = [new Scripted('home'), new Scripted('standby')] as const;
      const { done } = asking(...pair);
      pair[0].asker?.late();
      const asked = pair[1].asker;
      expect(asked).toBeDefined();
      pair[1 - winner]?.asker?.decide(notMine());
      expect(pair[1].asker).toBe(asked);
      pair[winner]?.asker?.decide(found);
      expect(await done).toMatchObject({ kind: 'decided', by: pair[winner] });
    }
  });

  test('asks a third only when the second is late or declines, not for what the first says after all', async () => {
    const [home, second, third] = [new Scripted('home'), new Scripted('second'), new Scripted('third')];
    const { done } = asking(home, second, third);
    home.asker?.late();
    home.asker?.decide(notMine());
    expect(third.asker).toBeUndefined();
    second.asker?.decide(notMine());
    third.asker?.decide(found);
    expect(await done).toMatchObject({ kind: 'decided', by: third });
  });

  test('goes past one that answers at once that it cannot', async () => {
    const [away, home] = [new Scripted('away', true), new Scripted('home')];
    const { done } = asking(away, home);
    home.asker?.decide(found);
    expect(await done).toMatchObject({ kind: 'decided', by: home });
  });

  test('says nobody knows him only when all have said so, with a challenge if there is one', async () => {
    const [home, standby] = [new Scripted('home'), new Scripted('standby')];
    const { done, soFar } = asking(home, standby);
    home.asker?.decide(notMine());
    expect(await soFar()).toBeUndefined();
    standby.asker?.decide(notMine(true));
    expect(await done).toEqual({ kind: 'unknown', decision: notMine(true) });
  });

  test('is unavailable where one that might know does not say, whatever the other says', async () => {
    for (const silent of [0, 1]) {
      const pair = [new Scripted('home'), new Scripted('standby')] as const;
      const { done } = asking(...pair);
      pair[0].asker?.decide(silent === 0 ? undefined : notMine(true));
      pair[1].asker?.decide(silent === 1 ? undefined : notMine(true));
      expect(await done).toEqual({ kind: 'unavailable' });
    }
  });

  test('is unavailable where nobody can be asked', async () => {
    expect(await asking().done).toEqual({ kind: 'unavailable' });
  });
});
