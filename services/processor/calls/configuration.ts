import type { RowOf } from '../../model/kind.ts';
import type { domain } from '../../model/domain.ts';
import type { subscriber } from '../../model/subscriber.ts';
import type { thirdPartySite } from '../../model/third-party-site.ts';
import type { Callee } from '../../protocol/dispatch/call.ts';
import type { RouteTable } from './route-table.ts';

export type DomainRow = RowOf<(typeof domain)['fields']>;
export type SubscriberRow = RowOf<(typeof subscriber)['fields']>;
export type ThirdPartyRow = RowOf<(typeof thirdPartySite)['fields']>;

/** What decisions about calls read; a home or standby processor's own configuration. */
export type CallConfiguration = {
  /** The site whose subscribers these are. */
  readonly owner: string;
  /** The domain of this name or alias (`host` or `host:port`). */
  readonly domainAt: (host: string) => DomainRow | undefined;
  readonly routes: RouteTable;
  readonly thirdParties: readonly ThirdPartyRow[];
  readonly subscriber: (aor: string) => Promise<SubscriberRow | undefined>;
  /** The address of record this number leads to. */
  readonly number: (key: string) => Promise<string | undefined>;
};

/** The subscriber a callee is: by name, by short number of the domain, by E.164 number. */
export async function subscriberOf(
  { address, number }: Callee,
  { subscriber, number: aorOf }: CallConfiguration,
): Promise<SubscriberRow | undefined> {
  const named = address === null ? undefined : await subscriber(address);
  if (named) return named;
  const byShort = address === null ? undefined : await aorOf(address);
  const aor = byShort ?? (number === null ? undefined : await aorOf(number));
  return aor === undefined ? undefined : subscriber(aor);
}
