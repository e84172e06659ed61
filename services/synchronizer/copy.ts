import type { LogDefinition } from '../log/definition.ts';
import type { Database } from '../platform/postgres/database.ts';
import { openDatabase } from '../platform/postgres/database.ts';

/** Where the copy of a peer's log is kept: its standby database, or its schema of `shared`. */
export type CopyOptions = {
  readonly url: string;
  /** Where it is not the default one. */
  readonly schema?: string | undefined;
};

export type OpenCopy = CopyOptions & AsyncDisposable & { readonly database: Database };

export function openCopy(options: CopyOptions, onError: (error: unknown) => void): OpenCopy {
  const database = openDatabase({ ...options, applicationName: 'dualhome synchronizer', onError });
  return { ...options, database, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

/** Subject of alarms about the copy that a peer holds of a log of this site. */
export const copySubject = (peer: string, { name }: LogDefinition): string => `${peer}/${name}-copy`;
