import type { Position } from '../protocol/position.ts';
import type { Queryable } from '../platform/postgres/statement.ts';

type HeadRow = { readonly incarnation: string; readonly seq: number; readonly hash: Buffer };

/** The last committed position of the log in the connection's schema. */
export async function readHead(queryable: Queryable): Promise<Position> {
  const { rows } = await queryable.query<HeadRow>({
    name: 'log.head',
    text: 'select incarnation, seq, hash from log_head',
  });
  const [head] = rows;
  if (!head) throw new Error('log_head has no row: the schema is not migrated');
  return head;
}
