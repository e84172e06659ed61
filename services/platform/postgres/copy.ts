import type { Readable, Writable } from 'node:stream';
import type pg from 'pg';
import { from, to } from 'pg-copy-streams';
import { translate } from './failures.ts';

export type CopyIn = Writable & { readonly rowCount: number };
export type CopyOut = Readable & { readonly rowCount: number };

/** What the driver calls on a query of its own kind; not in its types. */
type Submitted = { handleError(error: unknown): void; query_timeout?: number };

/** A COPY lasts as long as its other end feeds it: the time limit of statements is not for it. */
const COPY_TIMEOUT_MS = 2 ** 31 - 1;

export function openCopyFrom(client: pg.ClientBase, sql: string): CopyIn {
  const stream = from(sql);
  const failed = onFailure(stream as unknown as Submitted);
  const destroy = stream._destroy.bind(stream);
  // After a failure the driver's stream has let go of its connection and would fail at telling it.
  stream._destroy = (error, done) => (failed() ? done(error) : destroy(error, done));
  return client.query(stream);
}

export function openCopyTo(client: pg.ClientBase, sql: string, onBroken: () => void): CopyOut {
  const stream = to(sql);
  onFailure(stream as unknown as Submitted);
  stream.once('close', () => {
    if (!stream.readableEnded) onBroken();
  });
  return client.query(stream);
}

/** Makes the error a COPY fails with one of ours; returns whether it has failed. */
function onFailure(submitted: Submitted): () => boolean {
  let failed = false;
  const handleError = submitted.handleError.bind(submitted);
  submitted.handleError = (error) => {
    failed = true;
    handleError(translate(error));
  };
  submitted.query_timeout = COPY_TIMEOUT_MS;
  return () => failed;
}
