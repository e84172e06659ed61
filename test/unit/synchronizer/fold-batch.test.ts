import { describe, expect, it } from 'vitest';
import { configurationLog } from '../../../services/log/definition.ts';
import { incarnationBegunEvent, rowsChangedEvent } from '../../../services/log/events.ts';
import { chainRun } from '../../../services/log/event.ts';
import type { LoggedEvent } from '../../../services/log/event.ts';
import { subscriber } from '../../../services/model/subscriber.ts';
import { genesisHash } from '../../../services/protocol/position.ts';
import type { Position } from '../../../services/protocol/position.ts';
import { foldBatch } from '../../../services/synchronizer/apply/fold-batch.ts';
import { aSubscriber } from '../../support/builders.ts';

const one = '11111111-1111-4111-8111-111111111111';
const two = '22222222-2222-4222-8222-222222222222';
const genesis: Position = { incarnation: '00000000-0000-0000-0000-000000000000', seq: 0, hash: genesisHash };
const timeMs = Date.UTC(2026, 0, 1);

const context = (seq: number, incarnation: string) =>
  ({
    site: 'c1',
    incarnation,
    seq,
    timeMs,
    actor: { name: 'test', role: 'program' },
    reason: '"time":"',
  }) as const;
const begun = (seq: number, incarnation: string, parent: Position | null): LoggedEvent =>
  incarnationBegunEvent(parent, context(seq, incarnation));
const changed = (seq: number, incarnation: string): LoggedEvent => {
  const row = aSubscriber(seq);
  return rowsChangedEvent(
    configurationLog,
    subscriber,
    [{ key: String(row['aor']), before: null, after: row }],
    context(seq, incarnation),
  );
};

/** Folds `events` that follow `from`. */
function fold(from: Position, events: readonly LoggedEvent[]) {
  const { hashes } = chainRun(from, events);
  const batch = { firstSeq: from.seq + 1, bodies: events.map(({ body }) => body), hashes, creditBytes: 0 };
  return foldBatch(from, batch, configurationLog);
}

describe('folding a batch', () => {
  it('takes the time of an event from its body and the position from the chain', () => {
    const { run, changes } = fold(genesis, [begun(1, one, null), changed(2, one)]);
    expect(run.events.map((event) => event.timeMs)).toEqual([timeMs, timeMs]);
    expect(run.to).toMatchObject({ incarnation: one, seq: 2 });
    expect(changes.map(({ table }) => table.name)).toEqual(['incarnations', 'subscribers']);
  });

  it('follows incarnations that go on from exactly the position before', () => {
    const start = fold(genesis, [begun(1, one, null), changed(2, one)]).run.to;
    const middle = fold(start, [changed(3, one)]).run.to;
    const { run } = fold(start, [changed(3, one), begun(4, two, middle), changed(5, two)]);
    expect(run.to).toMatchObject({ incarnation: two, seq: 5 });
  });

  it('refuses an incarnation that goes on from elsewhere', () => {
    const start = fold(genesis, [begun(1, one, null), changed(2, one)]).run.to;
    const elsewhere: readonly (Position | null)[] = [
      null,
      { ...start, seq: 1 },
      { ...start, incarnation: two },
      { ...start, hash: genesisHash },
    ];
    for (const parent of elsewhere) {
      expect(() => fold(start, [begun(3, two, parent)])).toThrow(
        expect.objectContaining({ code: 'LOG_BROKEN', facts: { seq: 3 } }),
      );
    }
    expect(() => fold(genesis, [begun(1, one, start)])).toThrow('LOG_BROKEN');
  });

  it('names the event that cannot be read', () => {
    const start = fold(genesis, [begun(1, one, null)]).run.to;
    for (const body of [
      '{}',
      '',
      '{"specversion":"1.0","time":"2026-01-01T00:00:00.000Z"}',
      '{"a":1,"time":"yesterday at ten oclock"}',
    ]) {
      expect(() => fold(start, [changed(2, one), { timeMs, body: Buffer.from(body) }])).toThrow(
        expect.objectContaining({ code: 'EVENT_UNREADABLE', facts: { seq: 3 } }),
      );
    }
  });
});
