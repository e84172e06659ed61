import { configurationLog } from '../../../services/log/definition.ts';
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ChainCheck } from '../../../services/log/chain.ts';
import type { EventContext } from '../../../services/log/events.ts';
import { incarnationBegunEvent, putting, rowsChangedEvent } from '../../../services/log/events.ts';
import { chainRun } from '../../../services/log/event.ts';
import type { StoredEvent } from '../../../services/log/read.ts';
import { subscriber } from '../../../services/model/subscriber.ts';
import { genesisHash } from '../../../services/protocol/position.ts';
import { aSubscriber } from '../../support/builders.ts';

const incarnation = randomUUID();
const genesis = { seq: 0, hash: genesisHash, incarnation: undefined };
const context = (seq: number, fields: Partial<EventContext> = {}): EventContext => ({
  site: 'c1',
  incarnation,
  seq,
  timeMs: 1_700_000_000_000 + seq,
  actor: { name: 'test', role: 'program' },
  reason: 'a test',
  ...fields,
});
const changed = (fields: EventContext) =>
  rowsChangedEvent(
    configurationLog,
    subscriber,
    [putting(subscriber, null, aSubscriber(fields.seq))],
    fields,
  );

/** Events as a log stores them, from genesis; `alter` changes what event N says before it is chained. */
function aLog(alter: (seq: number) => Partial<EventContext> = () => ({}), length = 4): StoredEvent[] {
  const events = Array.from({ length }, (_, i) => {
    const fields = context(i + 1, alter(i + 1));
    return i === 0 ? incarnationBegunEvent(null, fields) : changed(fields);
  });
  const run = chainRun({ incarnation: genesis.seq.toString(), seq: 0, hash: genesisHash }, events);
  return run.events.map((event, i) => ({ ...event, seq: i + 1, hash: run.hashes[i] ?? genesisHash }));
}

function verdict(events: readonly StoredEvent[], base = genesis): unknown {
  const check = new ChainCheck(base);
  try {
    for (const event of events) check.check(event);
    return check.position;
  } catch (error) {
    return (error as { facts: unknown }).facts;
  }
}

describe('the chain of a log', () => {
  it('is proven up to its last event', () => {
    const events = aLog();
    expect(verdict(events)).toEqual({ seq: 4, hash: events[3]?.hash, incarnation });
  });

  it('is proven from any event on, taken for granted', () => {
    const events = aLog();
    const base = { ...genesis, seq: 2, hash: events[1]?.hash ?? genesisHash };
    expect(verdict(events.slice(2), base)).toMatchObject({ seq: 4 });
  });

  it('is broken at the event of which any one bit of body or hash is another', () => {
    const events = aLog();
    for (const field of ['body', 'hash'] as const) {
      const bits = (events[2]?.[field].length ?? 0) * 8;
      for (let bit = 0; bit < bits; bit += 1) {
        const flipped = Buffer.from(events[2]?.[field] ?? '');
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const altered = events.map((event, i) => (i === 2 ? { ...event, [field]: flipped } : event));
        expect(verdict(altered), `${field} bit ${bit}`).toEqual({ seq: 3, check: 'hash' });
      }
    }
  });

  it('is broken at the event whose time or seq is another', () => {
    const events = aLog();
    const altered = (fields: Partial<StoredEvent>) =>
      verdict(events.map((event, i) => (i === 2 ? { ...event, ...fields } : event)));
    expect(altered({ timeMs: (events[2]?.timeMs ?? 0) + 1 })).toEqual({ seq: 3, check: 'time' });
    expect(altered({ seq: 7 })).toEqual({ seq: 3, check: 'seq' });
  });

  it('is broken where an event is missing, repeated or exchanged', () => {
    const [first, second, third, fourth] = aLog() as [StoredEvent, StoredEvent, StoredEvent, StoredEvent];
    expect(verdict([first, third, fourth])).toEqual({ seq: 2, check: 'seq' });
    expect(verdict([first, second, second])).toEqual({ seq: 3, check: 'seq' });
    expect(verdict([first, { ...third, seq: 2 }, { ...second, seq: 3 }])).toEqual({ seq: 2, check: 'hash' });
  });

  it('is broken by an event that was written wrong, though its hash is right', () => {
    expect(verdict(aLog((seq) => (seq === 3 ? { timeMs: 1_600_000_000_000 } : {})))).toEqual({
      seq: 3,
      check: 'time',
    });
    expect(verdict(aLog((seq) => (seq === 3 ? { site: 'c9' } : {})))).toEqual({ seq: 3, check: 'source' });
    expect(verdict(aLog((seq) => (seq === 3 ? { seq: 4 } : {})))).toEqual({ seq: 3, check: 'id' });
    expect(verdict(aLog((seq) => (seq === 3 ? { incarnation: randomUUID() } : {})))).toEqual({
      seq: 3,
      check: 'id',
    });
  });

  it('goes on in an incarnation that names the event before it, and in no other', () => {
    const events = aLog(undefined, 2);
    const before = { incarnation, seq: 2, hash: events[1]?.hash ?? genesisHash };
    const next = randomUUID();
    const begin = (parent: typeof before | null) => {
      const event = incarnationBegunEvent(parent, context(3, { incarnation: next }));
      const { hashes } = chainRun(before, [event]);
      return verdict([...events, { ...event, seq: 3, hash: hashes[0] ?? genesisHash }]);
    };
    expect(begin(before)).toMatchObject({ seq: 3, incarnation: next });
    for (const parent of [
      null,
      { ...before, seq: 1 },
      { ...before, hash: genesisHash },
      { ...before, incarnation: next },
    ])
      expect(begin(parent)).toEqual({ seq: 3, check: 'parent' });
  });
});
