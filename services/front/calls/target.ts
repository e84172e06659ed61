import type { Destination, OutwardRoute } from '../../protocol/dispatch/call.ts';

/** Where a device of an address of record is registered, as the distribution gives it. */
export type Binding = {
  readonly aor: string;
  /** Name of the device: bindings of one name are never tried at once. */
  readonly device: string;
  /** The site that accepted the registration. */
  readonly site: string;
  readonly contact: string;
  readonly path: readonly string[];
  /** URI of the accepting front with its flow token. */
  readonly edge: string;
};

/** Somewhere a request can go. */
export type Target =
  /** A device registered at this site. */
  | { readonly kind: 'flow'; readonly binding: Binding }
  /** A device registered at a peer; without a binding whatever devices of the address the peer has. */
  | { readonly kind: 'peer'; readonly site: string; readonly aor: string; readonly binding: Binding | null }
  /** A next hop outside the pair. */
  | { readonly kind: 'next-hop'; readonly uri: string; readonly route: OutwardRoute }
  /** Nowhere yet: who that is has to be asked first. */
  | { readonly kind: 'locate'; readonly destination: Destination };

/** Targets that are tried one after the other, each when the one before it could not be reached. */
export type Chain = readonly [Target, ...Target[]];
