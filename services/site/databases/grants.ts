import { kinds } from '../../model/kinds.ts';
import type { DatabaseKind } from './plan.ts';

/** The programs that have a role in databases. */
export const databasePrograms = ['api', 'synchronizer'] as const;
export type DatabaseProgram = (typeof databasePrograms)[number];

export type Privilege = 'select' | 'insert' | 'update' | 'delete';

/** What one program may do in one database; it cannot connect to one that is not listed. */
export type Access = {
  readonly schema: string;
  /** Privileges by table. */
  readonly tables: Readonly<Record<string, readonly Privilege[]>>;
  /** Owns every table of the schema and may make others: it fills and swaps them. */
  readonly owner?: boolean | undefined;
};

const kindTables = kinds.map(({ table }) => table.name);
const logTables = ['log', 'log_head', 'log_origin', 'incarnations', 'snapshots', 'proofs'];

function each(tables: readonly string[], ...privileges: Privilege[]): Access['tables'] {
  return Object.fromEntries(tables.map((table) => [table, privileges]));
}

/**
 * Who may do what, for each (database, program). The api is the only writer of home; the synchronizer the only writer
 * of a standby (invariant I7). In `shared` they hand each other jobs and alarms.
 */
export const grants: Readonly<Record<DatabaseKind, Partial<Record<DatabaseProgram, Access>>>> = {
  home: {
    api: {
      schema: 'public',
      tables: {
        ...each([...kindTables, 'incarnations'], 'select', 'insert', 'update', 'delete'),
        log: ['select', 'insert'],
        log_head: ['select', 'update'],
        log_origin: ['select', 'insert', 'update'],
      },
    },
    // It prunes the log, since it knows what peers have applied; a guard lets only the oldest events go.
    synchronizer: {
      schema: 'public',
      tables: { ...each([...kindTables, ...logTables], 'select'), log: ['select', 'delete'] },
    },
  },
  standby: {
    synchronizer: { schema: 'public', tables: {}, owner: true },
  },
  shared: {
    api: {
      schema: 'site',
      tables: { jobs: ['select', 'insert', 'update'], alarms: ['select', 'insert', 'update'] },
    },
    synchronizer: {
      schema: 'site',
      tables: {
        jobs: ['select', 'insert', 'update', 'delete'],
        alarms: ['select', 'insert', 'update', 'delete'],
      },
    },
  },
};
