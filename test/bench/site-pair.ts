import type { SipAddress } from '../support/clients/sip-address.ts';
import type { ProcessRoots } from './cpu-meter.ts';
import type { FinderSpec } from './registration/load/finders.ts';

/** Two sites that tell each other every registration, as the benches drive them. */
export interface SitePair extends AsyncDisposable {
  readonly name: string;
  readonly sites: readonly [SipAddress, SipAddress];
  /** How the second is asked for what was registered at the first. */
  readonly finder: FinderSpec;
  readonly processes: ProcessRoots;
}
