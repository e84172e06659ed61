import type { Readable, Writable } from 'node:stream';
import type { ClientBase, Submittable } from 'pg';
import { from } from 'pg-copy-streams';
import { destroyConnection } from './connection.ts';
import { CopyOutQuery } from './copy-out-query.ts';
import { translate } from './failures.ts';

type Counted = {
  /** Rows copied, once it has finished. */
  readonly rowCount: number;
};
export type CopyIn = Writable & Counted;
export type CopyOut = Readable & Counted;

/** What the driver calls on a query of its own kind; not in its types. */
type Submitted = { handleError(error: unknown): void };

/** `onDone` is called when the connection is free again. */
export function openCopyFrom(client: ClientBase, sql: string, onDone: () => void): CopyIn {
  const stream = from(sql);
  onFailure(stream as unknown as Submitted, onDone);
  stream.once('finish', onDone);
  return client.query(stream);
}

/** Likewise. A reader that stops early costs the connection: the server would go on sending. */
export function openCopyTo(client: ClientBase, sql: string, onDone: () => void): CopyOut {
  const stream = new CopyOutQuery(sql);
  let done = false;
  const finish = (): void => {
    done = true;
    onDone();
  };
  onFailure(stream as unknown as Submitted, finish);
  stream.once('end', finish);
  stream.once('close', () => {
    if (!done) destroyConnection(client);
  });
  client.query(stream as unknown as Submittable);
  return stream;
}

/** Makes the error a COPY fails with one of ours. */
function onFailure(submitted: Submitted, onFailed: () => void): void {
  const handleError = submitted.handleError.bind(submitted);
  submitted.handleError = (error) => {
    onFailed();
    handleError(translate(error));
  };
}
