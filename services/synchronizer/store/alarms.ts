import type { Queryable } from '../../platform/postgres/statement.ts';

export type Alarm = {
  readonly code: string;
  readonly subject: string;
  readonly detail: string;
  readonly facts: Readonly<Record<string, unknown>>;
};

export type OpenAlarm = Alarm & { readonly raisedAt: Date };

/** Opens an alarm unless one is open for the same code and subject. Returns whether it did. */
export async function openAlarm(
  shared: Queryable,
  { code, subject, detail, facts }: Alarm,
): Promise<boolean> {
  const { rowCount } = await shared.query({
    name: 'synchronizer.open-alarm',
    text: `insert into site.alarms (code, subject, detail, facts) values ($1, $2, $3, $4)
           on conflict (code, subject) where cleared_at is null do nothing`,
    values: [code, subject, detail, facts],
  });
  return rowCount > 0;
}

/** Closes an open alarm whose facts include `facts`. Returns whether there was one. */
export async function closeAlarm(
  shared: Queryable,
  { code, subject, facts }: Omit<Alarm, 'detail'>,
  by: string,
): Promise<boolean> {
  const { rowCount } = await shared.query({
    name: 'synchronizer.close-alarm',
    text: `update site.alarms set cleared_at = now(), cleared_by = $4
           where code = $1 and subject = $2 and facts @> $3 and cleared_at is null`,
    values: [code, subject, facts, by],
  });
  return rowCount > 0;
}

/** Whether somebody other than `by` has closed an alarm that was raised for the same facts: it is settled. */
export async function isSettled(
  shared: Queryable,
  alarm: Omit<Alarm, 'detail'>,
  by: string,
): Promise<boolean> {
  const { rowCount } = await shared.query({
    name: 'synchronizer.settled-alarm',
    text: `select from site.alarms
           where code = $1 and subject = $2 and facts @> $3 and cleared_by <> $4 limit 1`,
    values: [alarm.code, alarm.subject, alarm.facts, by],
  });
  return rowCount > 0;
}

export async function readOpenAlarms(shared: Queryable): Promise<readonly OpenAlarm[]> {
  const { rows } = await shared.query<OpenAlarm>({
    name: 'synchronizer.open-alarms',
    text: `select code, subject, detail, facts, raised_at as "raisedAt"
           from site.alarms where cleared_at is null order by id`,
  });
  return rows;
}
