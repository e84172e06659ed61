import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesOf } from '../../../services/processor/configuration/changes.ts';
import { LookedUp } from '../../../services/processor/configuration/looked-up.ts';
import type { Read } from '../../../services/processor/configuration/looked-up.ts';

const event = (kind: string, ...rows: readonly object[]) =>
  Buffer.from(JSON.stringify({ type: `config.${kind}.changed`, data: { rows } }));

describe('what an event of the log touches', () => {
  const nothing = { common: false, many: false, everything: false, aors: new Set(), numbers: new Set() };
  const cut = (type: string): Buffer =>
    Buffer.from(`{"specversion":"1.0","id":"i/1","source":"c1","type":"${type}","subject":"subscriber/a..`);

  it.each([
    [
      'a subscriber',
      event('subscriber', { key: 'a@x', before: null, after: {} }),
      { aors: new Set(['a@x']) },
    ],
    ['a number', event('number', { key: '+49', before: {}, after: null }), { numbers: new Set(['+49']) }],
    [
      'a device that goes to somebody else',
      event('device', { key: 'd', before: { aor: 'a@x' }, after: { aor: 'b@x' } }),
      { aors: new Set(['a@x', 'b@x']) },
    ],
    [
      'a device of no single address of record',
      event('device', { key: 'd', before: null, after: { aor: null } }),
      { common: true },
    ],
    [
      'a device that is given to somebody',
      event('device', { key: 'd', before: { aor: null }, after: { aor: 'a@x' } }),
      { common: true, aors: new Set(['a@x']) },
    ],
    ['a domain', event('domain', { key: 'x', before: null, after: {} }), { common: true }],
    ['a kind of a later version', event('window', { key: 'x', before: null, after: {} }), { common: true }],
    ['an incarnation', Buffer.from('{"type":"log.incarnation.begun","data":{}}'), { everything: true }],
    ['a bulk change that was cut off', cut('config.subscriber.changed'), { many: true }],
    ['a bulk change of devices that was cut off', cut('config.device.changed'), { many: true, common: true }],
    ['a bulk change of what is held whole', cut('config.route.changed'), { common: true }],
    ['an incarnation that was cut off', cut('log.incarnation.begun'), { everything: true }],
    ['nonsense', Buffer.from('nonsense'), { everything: true }],
  ])('%s', (_, body, expected) => {
    expect(changesOf([body])).toEqual({ ...nothing, ...expected });
  });
});

/** A database whose answers the test gives. */
function database() {
  const reads: { keys: readonly string[]; answer: (read: Read<string>) => void; fail: (e: Error) => void }[] =
    [];
  const waiting: (() => void)[] = [];
  const read = (keys: readonly string[]): Promise<Read<string>> => {
    const { promise, resolve, reject } = Promise.withResolvers<Read<string>>();
    reads.push({ keys, answer: resolve, fail: reject });
    waiting.shift()?.();
    return promise;
  };
  const next = async () => {
    if (reads.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    const [first] = reads.splice(0, 1);
    if (!first) throw new Error('no read');
    return first;
  };
  const lookedUp = new LookedUp({ read, keptMax: 10 });
  return { lookedUp, next };
}

const as = (asOf: number, ...pairs: [string, string][]): Read<string> => ({ asOf, found: new Map(pairs) });

describe('rows that are looked up', () => {
  it('are read together with all that is asked within one turn, and each once', async () => {
    const { lookedUp, next } = database();
    const found = Promise.all(['a', 'b', 'a'].map((key) => lookedUp.find(key)));
    const read = await next();
    expect(read.keys).toEqual(['a', 'b']);
    read.answer(as(1, ['a', 'A']));
    expect(await found).toEqual(['A', undefined, 'A']);
  });

  it('are kept until an event touches them; who does not exist is asked for again', async () => {
    const { lookedUp, next } = database();
    const first = Promise.all([lookedUp.find('a'), lookedUp.find('b'), lookedUp.find('nobody')]);
    (await next()).answer(as(1, ['a', 'A'], ['b', 'B']));
    await first;
    lookedUp.advance(2, ['a']);
    expect([lookedUp.known('a'), lookedUp.known('b'), lookedUp.known('nobody')]).toEqual([
      undefined,
      'B',
      undefined,
    ]);
    lookedUp.restart(3);
    expect(lookedUp.size).toBe(0);
  });

  it('are read again when they are older than what was announced meanwhile', async () => {
    const { lookedUp, next } = database();
    const found = lookedUp.find('a');
    const old = await next();
    lookedUp.advance(5, ['a']);
    old.answer(as(4, ['a', 'old']));
    (await next()).answer(as(5, ['a', 'new']));
    expect([await found, lookedUp.known('a')]).toEqual(['new', 'new']);
  });

  it('are not kept when another history began meanwhile', async () => {
    const { lookedUp, next } = database();
    const found = lookedUp.find('a');
    const old = await next();
    lookedUp.restart(1);
    old.answer(as(9, ['a', 'of another history']));
    (await next()).answer(as(1, ['a', 'A']));
    expect(await found).toBe('A');
  });

  it('fail for those who asked, and are asked for anew', async () => {
    const { lookedUp, next } = database();
    const failing = lookedUp.find('a');
    (await next()).fail(new Error('gone'));
    await expect(failing).rejects.toThrow('gone');
    const found = lookedUp.find('a');
    (await next()).answer(as(1, ['a', 'A']));
    expect(await found).toBe('A');
  });

  it('never are older than announced, whatever happens in which order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('write', 'announce', 'find'), { maxLength: 30 }),
        async (steps) => {
          let written = 0;
          let announced = 0;
          const finding: Promise<boolean>[] = [];
          const lookedUp = new LookedUp<number>({
            keptMax: 10,
            read: async (keys) => {
              const read = { asOf: written, found: new Map(keys.map((key) => [key, written])) };
              await Promise.resolve();
              return read;
            },
          });
          for (const step of steps) {
            if (step === 'write') written += 1;
            if (step === 'announce') lookedUp.advance((announced = written), ['a']);
            if (step === 'find') {
              const least = announced;
              finding.push(lookedUp.find('a').then((value) => (value ?? 0) >= least));
            }
            if (step === 'find') await Promise.resolve();
          }
          expect(await Promise.all(finding)).not.toContain(false);
          const known = lookedUp.known('a');
          expect(known === undefined || known >= announced).toBe(true);
        },
      ),
    );
  });
});
