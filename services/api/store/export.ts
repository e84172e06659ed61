import type { Database } from '../../platform/postgres/database.ts';
import type { Kind } from '../../model/kind.ts';
import { listRows } from './rows.ts';
import type { KeyRange, StoredRow } from './rows.ts';

const pageRows = 1_000;

/** Rows in the order of their keys, a page at a time, all of one point in time. */
export async function* exportRows(
  home: Database,
  kind: Kind,
  range: KeyRange,
): AsyncGenerator<readonly StoredRow[]> {
  await using session = await home.session();
  await session.query('begin isolation level repeatable read read only');
  let after = range.after;
  for (;;) {
    const rows = await listRows(session, kind, { ...range, after }, pageRows);
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) break;
    after = rows.at(-1)?.key;
  }
  await session.query('commit');
}
