import type {
  LocateDecision,
  LocateFacts,
  OriginateDecision,
  OriginateFacts,
} from '../../protocol/dispatch/call.ts';
import type { Address } from '../../protocol/program-config.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';
import type { Binding } from '../calls/target.ts';

/** The processors, asked in turn; where one that might know is silent the answer is a 503. */
export type CallDispatch = {
  readonly originate: (facts: OriginateFacts) => Promise<OriginateDecision>;
  readonly locate: (facts: LocateFacts) => Promise<LocateDecision>;
};

/** Where devices are registered, at this site and at the peers. */
export type BindingsSource = {
  /** Of an address of record: those that count, of one device the latest first. */
  readonly of: (aor: string) => readonly Binding[];
};

/** This site among its peers. */
export type Pair = {
  readonly site: string;
  /** This site's token key first; those of the peers open theirs. */
  readonly keys: TokenKeys;
  readonly peers: readonly { readonly name: string; readonly sip: Address | null }[];
  readonly isLinkUp: (peer: string) => boolean;
};
