import type { Callee, Destination } from '../../protocol/dispatch/call.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import type { Target as Server } from '../../sip/transport/locate.ts';

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

/** A device registered at this site. */
export type FlowTarget = { readonly kind: 'flow'; readonly binding: Binding };

/** A device registered at a peer; without a binding whatever the peer knows of the callee. */
export type PeerTarget = {
  readonly kind: 'peer';
  readonly site: string;
  readonly callee: Callee;
  readonly binding: Binding | null;
};

/** A next hop of a route, at one of its addresses; `user` is whom it is asked for. */
export type HopTarget = {
  readonly kind: 'next-hop';
  readonly uri: string;
  readonly user: string;
  readonly server: Server;
};

/** Where the request says it is to go on: in a dialog, to an end that is no device of the pair. */
export type OnwardTarget = { readonly kind: 'onward'; readonly server: Server };

/** The flow a peer's front named. */
export type EdgeTarget = { readonly kind: 'edge'; readonly flow: Flow };

/** Somewhere a request can be sent. */
export type SendTarget = FlowTarget | PeerTarget | HopTarget | OnwardTarget | EdgeTarget;

/** Or nowhere yet: who that is has to be asked first. */
export type Target = SendTarget | { readonly kind: 'locate'; readonly destination: Destination };

/** Targets that are tried one after the other, each when the one before it could not be reached. */
export type Chain = readonly [Target, ...Target[]];

/** A chain of what there is; undefined where there is nothing. */
export function chainOf([first, ...others]: readonly Target[]): Chain | undefined {
  return first && [first, ...others];
}
