import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createZstdDecompress } from 'node:zlib';
import { ChainCheck } from '../../log/chain.ts';
import { insertStatement } from '../../log/commit-run.ts';
import { chainRun } from '../../log/event.ts';
import type { LoggedEvent } from '../../log/event.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { SnapshotHeader } from '../../protocol/manifest.ts';
import { historyFile, historyLineSchema } from './saved-copy.ts';
import type { SavedCopy } from './saved-copy.ts';

const eventsMax = 1_000;

/**
 * Adds the events of a saved copy to a log that stands at the point of its state, each proven to follow from the one
 * before. Returns how many.
 *
 * @throws LOG_BROKEN where they do not lead to the point of the state
 */
export async function restoreHistory(
  database: Queryable,
  directory: string,
  { history }: SavedCopy,
  header: SnapshotHeader,
): Promise<number> {
  const base = { seq: history.seq, hash: Buffer.from(history.hash, 'hex'), incarnation: undefined };
  const check = new ChainCheck(base);
  for await (const events of batches(directory)) {
    const { seq, hash } = check.position;
    const run = chainRun({ incarnation: header.incarnation, seq, hash }, events);
    events.forEach(({ timeMs, body }, index) => {
      check.check({ seq: seq + index + 1, timeMs, body, hash: run.hashes[index] ?? hash });
    });
    await database.query(insertStatement(run));
  }
  const { seq, hash } = check.position;
  if (seq === header.seq && hash.toString('hex') === header.hash) return seq - base.seq;
  throw new DualhomeError('LOG_BROKEN', {
    detail: `The events lead to ${seq} with another hash than the state, which is at ${header.seq}.`,
    facts: { seq },
  });
}

async function* batches(directory: string): AsyncGenerator<readonly LoggedEvent[]> {
  const input = createReadStream(historyFile(directory)).pipe(createZstdDecompress());
  let events: LoggedEvent[] = [];
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const { timeMs, body } = historyLineSchema.parse(JSON.parse(line));
    events.push({ timeMs, body: Buffer.from(body, 'base64') });
    if (events.length < eventsMax) continue;
    yield events;
    events = [];
  }
  if (events.length > 0) yield events;
}
