import { z } from 'zod';
import { dispatchRule } from '../../model/dispatch-rule.ts';
import type { DispatchRule } from '../../model/dispatch-rule.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';

/** What the front goes by of what is configured in `home`, as of one event of its log. */
export type SiteConfiguration = {
  readonly seq: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly rules: readonly DispatchRule[];
};

export async function readSiteConfiguration(home: Queryable): Promise<SiteConfiguration> {
  const names = Object.keys(dispatchRule.fields);
  const pairs = names.map((name) => `'${name}', ${name}`).join(', ');
  const { rows } = await home.query<SiteConfiguration>({
    name: 'front.configuration',
    text: `select seq,
                  (select coalesce(jsonb_object_agg(name, value), '{}') from environment) as environment,
                  (select coalesce(jsonb_agg(jsonb_build_object(${pairs}) order by name), '[]')
                   from dispatch_rules) as rules
           from log_head`,
  });
  const [row] = rows;
  if (!row) throw new Error('log_head has no row: the schema is not migrated');
  return row;
}

const copySchema = z.object({
  environment: z.record(z.string(), z.string()),
  rules: z.array(dispatchRule.schema),
});

/** The last copy that was kept; undefined where none was. */
export async function readCopy(shared: Queryable): Promise<SiteConfiguration | undefined> {
  const { rows } = await shared.query<{ seq: number; content: unknown }>(
    'select seq, content from site.front_copy',
  );
  const [row] = rows;
  return row && { seq: row.seq, ...copySchema.parse(row.content) };
}

export async function writeCopy(shared: Queryable, { seq, ...content }: SiteConfiguration): Promise<void> {
  await shared.query(
    `insert into site.front_copy (seq, content) values ($1, $2)
     on conflict (single) do update set seq = $1, content = $2, taken_at = now()`,
    [seq, JSON.stringify(content)],
  );
}
