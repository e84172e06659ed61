import type { Queryable, Statement } from '../platform/postgres/statement.ts';

/** Which data directory a log lives in: a restored or promoted one has another timeline, a new one another identifier. */
export type Origin = { readonly systemIdentifier: string; readonly timeline: number };

/** The origin of the server that answers. */
export async function serverOrigin(queryable: Queryable): Promise<Origin> {
  const { rows } = await queryable.query<Origin>(
    `select system_identifier::text as "systemIdentifier", timeline_id as timeline
     from pg_control_system(), pg_control_checkpoint()`,
  );
  const [origin] = rows;
  if (!origin) throw new Error('the server does not tell its system identifier');
  return origin;
}

/** The origin the log was last written at; undefined where it was not yet written as a home. */
export async function recordedOrigin(queryable: Queryable): Promise<Origin | undefined> {
  const { rows } = await queryable.query<Origin>(
    'select system_identifier as "systemIdentifier", timeline from log_origin',
  );
  return rows[0];
}

/** Records `origin` as that of the log. */
export const recordOriginStatement = ({ systemIdentifier, timeline }: Origin): Statement => ({
  text: `insert into log_origin (system_identifier, timeline) values ($1, $2)
         on conflict (single) do update set system_identifier = $1, timeline = $2`,
  values: [systemIdentifier, timeline],
});
