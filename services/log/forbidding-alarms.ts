import type { Queryable } from '../platform/postgres/statement.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { LogName } from '../protocol/names.ts';

/** Codes of alarms that forbid this site to write a log; their subject is its name. */
const forbidding: readonly ErrorCode[] = ['LOG_RESTORED', 'LOG_FORKED'];

export type ForbiddingAlarm = {
  readonly code: string;
  readonly detail: string;
  readonly facts: Readonly<Record<string, unknown>>;
};

/** The oldest open alarm that forbids to write the log. */
export async function forbiddingAlarm(shared: Queryable, log: LogName): Promise<ForbiddingAlarm | undefined> {
  const { rows } = await shared.query<ForbiddingAlarm>({
    name: 'alarms.forbidding',
    text: `select code, detail, facts from site.alarms
           where cleared_at is null and subject = $1 and code = any($2::text[]) order by id limit 1`,
    values: [log, forbidding],
  });
  return rows[0];
}

/** Raises an alarm about the log, unless it is open already. */
export async function raiseAlarm(
  shared: Queryable,
  log: LogName,
  code: ErrorCode,
  detail: string,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  await shared.query(
    `insert into site.alarms (code, subject, detail, facts) values ($1, $2, $3, $4)
     on conflict (code, subject) where cleared_at is null do nothing`,
    [code, log, detail, facts],
  );
}

/** Clears what forbids to write the log. */
export async function clearForbiddingAlarms(shared: Queryable, log: LogName, by: string): Promise<void> {
  await shared.query(
    `update site.alarms set cleared_at = now(), cleared_by = $1
     where cleared_at is null and subject = $2 and code = any($3::text[])`,
    [by, log, forbidding],
  );
}
