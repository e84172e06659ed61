import type { Queryable } from '../../platform/postgres/statement.ts';

export type Alarm = {
  readonly id: number;
  readonly code: string;
  readonly subject: string;
  readonly detail: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly raised_at: Date;
  readonly cleared_at: Date | null;
  readonly cleared_by: string | null;
};

/** Alarms, newest first: the open ones, and with `cleared` those that were. */
export async function listAlarms(
  shared: Queryable,
  { cleared, limit }: { readonly cleared: boolean; readonly limit: number },
): Promise<readonly Alarm[]> {
  const { rows } = await shared.query<Alarm>(
    `select * from site.alarms where $1 or cleared_at is null order by id desc limit $2`,
    [cleared, limit],
  );
  return rows;
}
