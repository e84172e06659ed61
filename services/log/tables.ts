import { incarnationsTable } from '../model/incarnations.ts';
import { kindNamed, kinds } from '../model/kinds.ts';
import type { Table } from '../model/table.ts';
import type { Scope } from '../protocol/scope.ts';

/** Every table that the configuration log folds into, in the order in which snapshots carry them. */
export const configurationTables: readonly Table[] = [...kinds.map(({ table }) => table), incarnationsTable];

/** The tables of a scope; those of unknown kinds are left out. */
export function tablesOf({ kinds: names }: Scope): readonly Table[] {
  return names ? names.flatMap((name) => kindNamed(name)?.table ?? []) : configurationTables;
}

/** All columns of a table, its key first and `seq` last. */
export function columnsOf(table: Table): readonly string[] {
  return [...table.columns.map(({ name }) => name), 'seq'];
}
