import type { Address } from '../../protocol/program-config.ts';
import type { SiteConfig } from './schema.ts';

type SipListener = NonNullable<NonNullable<SiteConfig['sip']>['tls']>;

/** What others are told of a listener: unless configured, the host under which this machine is reached. */
export function advertisedAddress(
  { listen, advertised }: SipListener,
  { public_host }: Pick<SiteConfig, 'public_host'>,
): Address {
  return advertised ?? { host: public_host.replace(/^\[|\]$/g, ''), port: listen.port };
}
