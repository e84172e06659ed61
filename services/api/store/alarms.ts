import type { Queryable } from '../../platform/postgres/statement.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';

/** Subject of alarms about this site's own configuration log. */
export const ownLog = 'configuration';

/** Codes of alarms that forbid to write it. */
const forbidding: readonly ErrorCode[] = ['LOG_RESTORED', 'LOG_FORKED'];

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

/** The oldest open alarm that forbids to write the configuration log. */
export async function forbiddingAlarm(shared: Queryable): Promise<Alarm | undefined> {
  const { rows } = await shared.query<Alarm>({
    name: 'alarms.forbidding',
    text: `select * from site.alarms
           where cleared_at is null and subject = $1 and code = any($2::text[]) order by id limit 1`,
    values: [ownLog, forbidding],
  });
  return rows[0];
}

/** Raises an alarm about the own log, unless it is open already. */
export async function raiseAlarm(
  shared: Queryable,
  code: ErrorCode,
  detail: string,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  await shared.query(
    `insert into site.alarms (code, subject, detail, facts) values ($1, $2, $3, $4)
     on conflict (code, subject) where cleared_at is null do nothing`,
    [code, ownLog, detail, facts],
  );
}

/** Clears what forbids to write the own log. */
export async function clearForbiddingAlarms(shared: Queryable, by: string): Promise<void> {
  await shared.query(
    `update site.alarms set cleared_at = now(), cleared_by = $1
     where cleared_at is null and subject = $2 and code = any($3::text[])`,
    [by, ownLog, forbidding],
  );
}

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
