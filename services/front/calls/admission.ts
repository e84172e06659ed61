import type { Callee } from '../../protocol/dispatch/call.ts';
import { preprocessRoute } from '../../sip/proxy/route.ts';
import type { RouteSet } from '../../sip/proxy/route.ts';
import type { Refusal } from '../../sip/message/limits.ts';
import type { Request } from '../../sip/message/message.ts';
import type { SipUri } from '../../sip/message/uri.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';
import { decodeFlowToken } from '../../sip/transport/flow-token.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { openCalleeToken } from './callee-token.ts';
import { dialogDestination } from './dialog-token.ts';
import type { DialogEnd } from './dialog-token.ts';

/** By what right a request is here, and so what is done with it. */
export type Admission = RouteSet &
  (
    | { readonly kind: 'dialog'; readonly end: DialogEnd; readonly token: string }
    /** A peer's front hands it over for one of our flows. */
    | { readonly kind: 'edge'; readonly flow: Flow }
    /** A peer's front asks for whom this site knows more of. */
    | { readonly kind: 'callee'; readonly callee: Callee }
    /** It has to show who it comes from. */
    | { readonly kind: 'new' }
    | { readonly kind: 'refused'; readonly refusal: Refusal }
  );

export type AdmissionContext = {
  readonly isOwnRoute: (uri: SipUri) => boolean;
  /** This site's key, which signs its flow tokens, and those of its peers. */
  readonly keys: TokenKeys;
  readonly nowMs: number;
  /** The peer whose certificate the connection has shown. */
  readonly peer: string | undefined;
};

const untrusted: Refusal = { status: 403, reason: 'Route Not Permitted' };
const unknownHandover: Refusal = { status: 430, reason: 'Flow Failed' };

/**
 * Sorts a request by what its Route values of ours prove. A To tag or a Route of others proves nothing: such a request is
 * treated as any new one, or refused. Only a peer may name flows and callees.
 */
export function admit(request: Request, { isOwnRoute, keys, nowMs, peer }: AdmissionContext): Admission {
  const { uri, routes, own } = preprocessRoute(request, isOwnRoute);
  const routeSet = { uri, routes };
  const tokens = own.flatMap(({ user }) => (user === undefined ? [] : [user]));
  if (peer !== undefined) {
    for (const token of tokens) {
      const flow = decodeFlowToken([keys[0]], token);
      if (flow) return { kind: 'edge', flow, ...routeSet };
      const callee = openCalleeToken(keys, token);
      if (callee) return { kind: 'callee', callee, ...routeSet };
    }
  }
  const known = tokens.flatMap((token) => {
    const destination = dialogDestination(keys, token, request, nowMs);
    return destination ? [{ token, end: destination.end }] : [];
  });
  const dialog = known.find(({ end }) => end !== null) ?? known[0];
  if (dialog) return { kind: 'dialog', ...dialog, ...routeSet };
  if (peer !== undefined && tokens.length > 0)
    return { kind: 'refused', refusal: unknownHandover, ...routeSet };
  if (routes.length > 0) return { kind: 'refused', refusal: untrusted, ...routeSet };
  return { kind: 'new', ...routeSet };
}
