import type { Caller, Destination } from '../../protocol/dispatch/call.ts';
import type { RouteSet } from '../../sip/proxy/route.ts';
import type { Request } from '../../sip/message/message.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import type { DialogEnd } from '../calls/dialog-token.ts';
import type { Chain } from '../calls/target.ts';

/** Who a request is from, as far as this front needs to know. */
export type From =
  | { readonly kind: 'caller'; readonly caller: Caller; readonly owner: string }
  | { readonly kind: 'peer'; readonly name: string }
  /** Somebody in a dialog. */
  | { readonly kind: 'dialog' };

/** What is to become of a request that may pass. */
export type Attempt = {
  /** As it goes on, whoever gets it. */
  readonly request: Request;
  /** As it came: what tells a loop from a spiral. */
  readonly received: Request;
  readonly flow: Flow;
  readonly from: From;
  /** Request-URI and Route values left; where `isRouted` they decide. */
  readonly routed: RouteSet & { readonly isRouted: boolean };
  /** Whom the caller is in the dialog this may open. */
  readonly callerEnd: DialogEnd;
  /** The Record-Route token to use, where the dialog has one already. */
  readonly token: string | undefined;
  readonly aim:
    | { readonly kind: 'destination'; readonly destination: Destination }
    | { readonly kind: 'targets'; readonly chains: readonly Chain[] };
};
