import { expect } from 'vitest';
import { configurationLog } from '../../services/log/definition.ts';
import { readEvent } from '../../services/log/events.ts';
import { readHead } from '../../services/log/head.ts';
import { readAfter } from '../../services/log/read.ts';
import type { StoredEvent } from '../../services/log/read.ts';
import { number } from '../../services/model/number.ts';
import type { Queryable } from '../../services/platform/postgres/statement.ts';
import { chainHash, genesisHash } from '../../services/protocol/position.ts';

/** A change of a number that was answered: it may be found in exactly this event and in no other. */
export type Answered = { readonly key: string; readonly seq: number };

/**
 * Compares a home with what its api has answered: seq dense and chained up to the head, the numbers equal to the fold
 * of the events, every answered change there, no change there twice.
 */
export async function expectLogToHold(home: Queryable, answered: readonly Answered[]): Promise<void> {
  const events = await readAll(home);
  let hash = genesisHash;
  for (const [i, event] of events.entries()) {
    expect(event.seq).toBe(i + 1);
    hash = chainHash(hash, event.body);
    expect(event.hash.equals(hash)).toBe(true);
  }
  const head = await readHead(home);
  expect([head.seq, head.hash.equals(hash)]).toEqual([events.length, true]);

  const { changes } = configurationLog.fold(events, 1);
  const folded = changes.find(({ table }) => table === number.table)?.upserts ?? [];
  const { rows } = await home.query<{ number: string; seq: number }>('select number, seq from numbers');
  const bySeq = (pairs: readonly (readonly [string, number])[]) => [...pairs].sort(([, a], [, b]) => a - b);
  expect(bySeq(rows.map((row) => [row.number, row.seq]))).toEqual(
    bySeq(folded.map(({ row, seq }) => [String(row['number']), seq])),
  );

  const keys = events.flatMap(({ body, seq }) => {
    const { data } = readEvent(body, seq);
    return 'rows' in data ? data.rows.map(({ key }) => ({ key, seq })) : [];
  });
  expect(new Set(keys.map(({ key }) => key)).size).toBe(keys.length);
  const seqOf = new Map(keys.map(({ key, seq }) => [key, seq]));
  expect(answered.filter(({ key, seq }) => seqOf.get(key) !== seq)).toEqual([]);
}

async function readAll(home: Queryable): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const next = await readAfter(home, events.length, { eventsMax: 10_000, bytesMax: 64_000_000 });
    if (next.length === 0) return events;
    events.push(...next);
  }
}
