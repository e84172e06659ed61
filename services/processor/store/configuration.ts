import { domain } from '../../model/domain.ts';
import type { Fields } from '../../model/kind.ts';
import { route } from '../../model/route.ts';
import { subscriber } from '../../model/subscriber.ts';
import { thirdPartySite } from '../../model/third-party-site.ts';
import { textArray } from '../../platform/postgres/binary-array.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';
import type { DomainRow, SubscriberRow, ThirdPartyRow } from '../calls/configuration.ts';
import type { RouteRow } from '../calls/route-table.ts';
import type { Device } from '../register/device.ts';

/** Where the configuration stands. */
export type ConfigurationHead = {
  readonly incarnation: string;
  readonly seq: number;
  /** Snapshots swapped in so far: each replaces rows without an event. */
  readonly snapshots: number;
  /** Whether a comparison has ever found this copy equal to its home. */
  readonly proven: boolean;
};

export async function readConfigurationHead(database: Queryable): Promise<ConfigurationHead> {
  const { rows } = await database.query<ConfigurationHead>({
    name: 'processor.head',
    text: `select incarnation, seq, (select count(*) from snapshots) as snapshots,
                  exists (select from proofs where equal) as proven
           from log_head`,
  });
  const [head] = rows;
  if (!head) throw new Error('log_head has no row: the schema is not migrated');
  return head;
}

/** Of a longer event only its beginning is read: it is of a bulk change, and costs more than looking rows up again. */
const wholeBytesMax = 16_384;
const beginningBytes = 512;

/** Bodies of at most `eventsMax` events after `seq`, in order, long ones cut; fewer where they are not held here. */
export async function readEventBodies(
  database: Queryable,
  seq: number,
  eventsMax: number,
): Promise<readonly Buffer[]> {
  const { rows } = await database.query<{ body: Buffer }>({
    name: 'processor.events',
    text: `select case when octet_length(body) <= ${wholeBytesMax} then body
                       else substring(body for ${beginningBytes}) end as body
           from log where seq > $1 and seq <= $1 + $2::bigint order by seq`,
    values: [seq, eventsMax],
  });
  return rows.map(({ body }) => body);
}

/** What is held whole in memory, as of one moment. */
export type CommonConfiguration = {
  readonly domains: readonly DomainRow[];
  readonly routes: readonly RouteRow[];
  readonly thirdParties: readonly ThirdPartyRow[];
  readonly environment: Readonly<Record<string, string>>;
  /** Access devices of no single address of record, in the order of their names. */
  readonly sharedDevices: readonly Device[];
};

/** Access devices of no single address of record that are known; further ones are not recognised. */
export const sharedDevicesMax = 20_000;

const deviceOf = `jsonb_build_object('name', name, 'instance', instance, 'address', address)`;

export async function readCommonConfiguration(database: Queryable): Promise<CommonConfiguration> {
  const { rows } = await database.query<CommonConfiguration>({
    name: 'processor.common',
    text: `select ${allOf(domain.table.name, domain.fields)} as domains,
                  ${allOf(route.table.name, route.fields)} as routes,
                  ${allOf(thirdPartySite.table.name, thirdPartySite.fields)} as "thirdParties",
                  (select coalesce(jsonb_object_agg(name, value), '{}') from environment) as environment,
                  (select coalesce(jsonb_agg(${deviceOf} order by name), '[]')
                   from (select * from devices where aor is null order by name limit ${sharedDevicesMax}) as shared
                  ) as "sharedDevices"`,
  });
  const [row] = rows;
  if (!row) throw new Error('a select without a table has one row');
  return row;
}

/** Every row of a table as JSON, in the order of its key. */
function allOf(table: string, fields: Fields): string {
  const names = Object.keys(fields);
  const pairs = names.map((name) => `'${name}', ${name}`).join(', ');
  return `(select coalesce(jsonb_agg(jsonb_build_object(${pairs}) order by ${names[0]}), '[]') from ${table})`;
}

/** Rows that were looked up, and the seq they are as of. */
export type RowsAsOf<T> = { readonly asOf: number; readonly rows: readonly T[] };

export type SubscriberFound = SubscriberRow & { readonly devices: readonly Device[] | null };

const subscriberColumns = Object.keys(subscriber.fields)
  .map((name) => `found.${name}`)
  .join(', ');

/** Subscribers by their addresses of record, with their access devices. */
export async function readSubscribers(
  database: Queryable,
  aors: readonly string[],
): Promise<RowsAsOf<SubscriberFound>> {
  // One statement is one snapshot: the head in it dates the rows. One row comes even where nobody is found.
  const { rows } = await database.query<SubscriberFound & { readonly as_of: number }>({
    name: 'processor.subscribers',
    text: `select head.seq as as_of, ${subscriberColumns},
                  (select jsonb_agg(${deviceOf} order by name)
                   from devices where devices.aor = found.aor) as devices
           from log_head as head left join subscribers as found on found.aor = any($1::text[])`,
    values: [textArray(aors)],
  });
  return {
    asOf: rows[0]?.as_of ?? 0,
    rows: rows.flatMap(({ as_of: _asOf, ...row }) => (row.aor === null ? [] : [row])),
  };
}

/** Numbers and the addresses of record they lead to. */
export async function readNumbers(
  database: Queryable,
  numbers: readonly string[],
): Promise<RowsAsOf<{ readonly number: string; readonly aor: string }>> {
  const { rows } = await database.query<{ as_of: number; number: string; aor: string }>({
    name: 'processor.numbers',
    text: `select head.seq as as_of, found.number, found.aor
           from log_head as head left join numbers as found on found.number = any($1::text[])`,
    values: [textArray(numbers)],
  });
  return { asOf: rows[0]?.as_of ?? 0, rows: rows.filter(({ number }) => number !== null) };
}
