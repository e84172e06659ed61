import type {
  CallConfiguration,
  DomainRow,
  SubscriberRow,
  ThirdPartyRow,
} from '../../services/processor/calls/configuration.ts';
import { RouteTable } from '../../services/processor/calls/route-table.ts';
import type { RouteRow } from '../../services/processor/calls/route-table.ts';

export function subscriberRow(aor: string, fields: Partial<SubscriberRow> = {}): SubscriberRow {
  return {
    aor,
    display_name: null,
    ha1_md5: null,
    ha1_sha256: null,
    home_site: 'c1',
    backup_site: 'c2',
    class_of_service: [],
    forward_always: null,
    forward_busy: null,
    forward_no_answer: null,
    forward_no_answer_seconds: null,
    forward_unreachable: null,
    area_code: '30',
    country_code: '49',
    time_zone: null,
    ...fields,
  };
}

export function routeRow(prefix: string, fields: Partial<RouteRow> = {}): RouteRow {
  return {
    prefix,
    class: 'national',
    next_hops: ['sip:192.0.2.50'],
    transit: false,
    emergency: false,
    ...fields,
  };
}

export type ConfigurationRows = {
  readonly subscribers?: readonly SubscriberRow[];
  readonly numbers?: Readonly<Record<string, string>>;
  readonly routes?: readonly RouteRow[];
  readonly thirdParties?: readonly ThirdPartyRow[];
  readonly domains?: readonly DomainRow[];
};

const exampleDomain: DomainRow = { name: 'example.com', realm: 'example.com', aliases: ['192.0.2.1:5060'] };

/** The configuration of site c1 with these rows, as decisions about calls see it. */
export function callConfiguration({
  subscribers = [],
  numbers = {},
  routes = [],
  thirdParties = [],
  domains = [exampleDomain],
}: ConfigurationRows): CallConfiguration {
  return {
    owner: 'c1',
    domainAt: (host) => domains.find(({ name, aliases }) => name === host || aliases.includes(host)),
    routes: new RouteTable(routes),
    thirdParties,
    subscriber: async (aor) => subscribers.find((row) => row.aor === aor),
    number: async (key) => numbers[key],
  };
}
