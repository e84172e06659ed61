import { incarnationsTable } from '../../model/incarnations.ts';
import { dispatchRule } from '../../model/dispatch-rule.ts';
import { environment } from '../../model/environment.ts';
import { kinds } from '../../model/kinds.ts';
import { registrationLog } from '../../log/definition.ts';
import type { DatabaseKind } from './plan.ts';

/** The programs that have a role in databases; a standby processor has one for its peer. */
export const databasePrograms = [
  'api',
  'synchronizer',
  'front',
  'homeProcessor',
  'standbyProcessor',
] as const;
export type DatabaseProgram = (typeof databasePrograms)[number];

export type Privilege = 'select' | 'insert' | 'update' | 'delete';

/** What one program may do in one schema; it cannot connect to a database in which it has no access. */
export type Access = {
  /** `peers` stands for the schema of each peer. */
  readonly schema: 'public' | 'site' | 'own' | 'peers';
  /** Privileges by table. */
  readonly tables: Readonly<Record<string, readonly Privilege[]>>;
  /** Owns every table of the schema and may make others: it fills and swaps them. */
  readonly owner?: boolean | undefined;
};

const kindTables = kinds.map(({ table }) => table.name);
/** What the front reads of the configuration: what is about the site, not about subscribers. */
const siteTables = [environment, dispatchRule].map(({ table }) => table.name);
const flowTables = registrationLog.kinds.map(({ table }) => table.name);
const logTables = ['log', 'log_head', 'log_origin', incarnationsTable.name, 'snapshots', 'proofs'];

function each(tables: readonly string[], ...privileges: Privilege[]): Access['tables'] {
  return Object.fromEntries(tables.map((table) => [table, privileges]));
}

/** Of the one program that writes a log: it appends, and moves the head. */
function writing(tables: readonly string[]): Access['tables'] {
  return {
    ...each([...tables, incarnationsTable.name], 'select', 'insert', 'update', 'delete'),
    log: ['select', 'insert'],
    log_head: ['select', 'update'],
    log_origin: ['select', 'insert', 'update'],
  };
}

/** Of the synchronizer: it prunes a log, since it knows what peers have applied; a guard lets only the oldest events go. */
function pruning(tables: readonly string[]): Access['tables'] {
  return { ...each([...tables, ...logTables], 'select'), log: ['select', 'delete'] };
}

/**
 * Who may do what, for each (database, program). The api is the only writer of home, the front of the site's own
 * registration log; the synchronizer the only writer of what is held of peers (invariant I7). In schema `site` programs
 * hand each other jobs and alarms.
 */
export const grants: Readonly<Record<DatabaseKind, Partial<Record<DatabaseProgram, readonly Access[]>>>> = {
  home: {
    api: [{ schema: 'public', tables: writing(kindTables) }],
    synchronizer: [{ schema: 'public', tables: pruning(kindTables) }],
    front: [{ schema: 'public', tables: each([...siteTables, 'log_head'], 'select') }],
    homeProcessor: [{ schema: 'public', tables: each([...kindTables, ...logTables], 'select') }],
  },
  standby: {
    synchronizer: [{ schema: 'public', tables: {}, owner: true }],
    standbyProcessor: [{ schema: 'public', tables: each([...kindTables, ...logTables], 'select') }],
  },
  shared: {
    api: [
      {
        schema: 'site',
        tables: { jobs: ['select', 'insert', 'update'], alarms: ['select', 'insert', 'update'] },
      },
      { schema: 'own', tables: each([...flowTables, ...logTables], 'select') },
      { schema: 'peers', tables: each([...flowTables, ...logTables], 'select') },
    ],
    synchronizer: [
      {
        schema: 'site',
        tables: {
          jobs: ['select', 'insert', 'update', 'delete'],
          alarms: ['select', 'insert', 'update', 'delete'],
        },
      },
      { schema: 'own', tables: pruning(flowTables) },
      { schema: 'peers', tables: {}, owner: true },
    ],
    front: [
      {
        schema: 'site',
        tables: {
          alarms: ['select', 'insert', 'update'],
          front_copy: ['select', 'insert', 'update', 'delete'],
        },
      },
      { schema: 'own', tables: writing(flowTables) },
      { schema: 'peers', tables: each([...flowTables, ...logTables], 'select') },
    ],
  },
};
