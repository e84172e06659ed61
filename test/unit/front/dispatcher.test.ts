import { describe, expect, test } from 'vitest';
import type { Asker } from '../../../services/front/dispatch/ask-in-turn.ts';
import { Dispatcher } from '../../../services/front/dispatch/dispatcher.ts';
import type { ProcessorClient } from '../../../services/front/dispatch/processor-client.ts';
import { createCallDispatch } from '../../../services/front/proxy/processor-dispatch.ts';
import type { OriginateFacts } from '../../../services/protocol/dispatch/call.ts';
import type { Decision, Facts } from '../../../services/protocol/dispatch/messages.ts';

const source = { transport: 'udp', address: '192.0.2.1', port: 5060 } as const;
const challenge: Decision = {
  kind: 'challenge',
  realm: 'example.com',
  nonce: 'n',
  algorithm: 'MD5',
  stale: false,
};
const admitted = (caller: (Decision & { kind: 'admitted' })['caller']): Decision => ({
  kind: 'admitted',
  owner: 'c1',
  caller,
  destination: {
    callee: { address: null, number: null },
    route: null,
    refusal: { kind: 'refused', status: 404, reason: 'Not Found' },
    isEmergency: false,
  },
  steps: [],
});

/** Processors of a site c1 and its peer c2 that answer as told; `late` keeps waiting. */
function aDispatcher(answers: Readonly<Record<'c1' | 'c2', Decision | 'late'>>) {
  const asked: string[] = [];
  const processors = (['c1', 'c2'] as const).map((owner) => ({
    config: { owner, role: owner === 'c1' ? 'home' : 'standby' },
    isServing: true,
    ask: (_: Facts, asker: Asker) => {
      asked.push(owner);
      const answer = answers[owner];
      if (answer === 'late') asker.late();
      else asker.decide(answer);
    },
  }));
  const dispatcher = new Dispatcher({
    processors: processors as unknown as readonly ProcessorClient[],
    rules: () => [],
    ownerOf: (aor) => (aor.startsWith('visitor') ? 'c2' : undefined),
  });
  return { dispatcher, asked };
}

test('the handshake of a device is answered by its processor, however many others are asked about at once', async () => {
  const { dispatcher } = aDispatcher({ c1: challenge, c2: challenge });
  const sender = { source, certificateSha256: null };
  const served = await Promise.all(
    Array.from({ length: 25_000 }, (_, i) =>
      dispatcher.isServed({ user: `u${i}`, host: 'example.com' }, sender),
    ),
  );
  expect(served).not.toContain(false);
});

describe('a call whose caller is a subscriber of the peer', () => {
  const facts: OriginateFacts = {
    kind: 'originate',
    method: 'INVITE',
    from: { user: 'visitor', host: 'example.com' },
    asserted: [],
    called: { user: '1', host: 'example.com', isHere: true },
    credentials: null,
    source,
    certificateSha256: null,
    isRehearsal: false,
  };
  const ofNeighbour = admitted({ kind: 'third-party', name: 'c3' });

  test('is admitted where home knows who sends it as a third party', async () => {
    const { dispatcher, asked } = aDispatcher({ c1: ofNeighbour, c2: challenge });
    expect(await createCallDispatch(dispatcher).originate(facts)).toEqual(ofNeighbour);
    expect(asked).toEqual(['c2', 'c1']);
  });

  test.each([
    ['home asks for credentials too', challenge],
    ['home is silent', 'late'],
    ['home takes him for somebody else', admitted({ kind: 'subscriber', aor: 'a@b', displayName: null })],
  ] as const)('is challenged where %s', async (_, c1) => {
    const { dispatcher } = aDispatcher({ c1, c2: challenge });
    expect(await createCallDispatch(dispatcher).originate(facts)).toEqual(challenge);
  });

  test('is between him and his processor where he has given credentials, or that has admitted him', async () => {
    const credentials = {
      username: 'visitor',
      realm: 'example.com',
      response: '',
      algorithm: 'MD5',
      method: 'INVITE',
      uri: 'sip:1',
      nonce: 'n',
      qop: null,
    } as const;
    const proven = admitted({ kind: 'subscriber', aor: 'visitor@example.com', displayName: null });
    for (const [c2, given] of [
      [challenge, credentials],
      [proven, null],
    ] as const) {
      const { dispatcher, asked } = aDispatcher({ c1: ofNeighbour, c2 });
      const decision = await createCallDispatch(dispatcher).originate({ ...facts, credentials: given });
      expect([decision, asked]).toEqual([c2, ['c2']]);
    }
  });

  test('is not asked about twice at home, where its subscribers are challenged', async () => {
    const { dispatcher, asked } = aDispatcher({ c1: challenge, c2: challenge });
    const own = { ...facts, from: { user: 'own', host: 'example.com' } };
    expect(await createCallDispatch(dispatcher).originate(own)).toEqual(challenge);
    expect(asked).toEqual(['c1']);
  });
});
