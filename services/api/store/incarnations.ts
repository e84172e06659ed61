import type { Queryable } from '../../platform/postgres/statement.ts';

export type IncarnationRow = {
  readonly incarnation: string;
  readonly first_seq: number;
  readonly parent_incarnation: string | null;
  readonly parent_seq: number | null;
  readonly parent_hash: string | null;
  readonly begun: string;
  readonly reason: string;
};

/** Oldest first. */
export async function listIncarnations(home: Queryable): Promise<readonly IncarnationRow[]> {
  const { rows } = await home.query<IncarnationRow>('select * from incarnations order by first_seq');
  return rows;
}
