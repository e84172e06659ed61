import { MessageEdit } from '../../sip/message/edit.ts';
import type { Request } from '../../sip/message/message.ts';
import { parseDatagram } from '../../sip/message/parse.ts';
import { loopHash, makeBranch } from '../../sip/proxy/branch.ts';
import { forwardRequest } from '../../sip/proxy/forward.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { deviceDigest, sealDialogToken } from '../calls/dialog-token.ts';
import type { DialogEnd } from '../calls/dialog-token.ts';
import { historyInfo } from '../calls/history-info.ts';
import type { Forwarding } from '../calls/history-info.ts';
import { wantsPrivacy } from '../calls/identity-headers.ts';
import { routeSetFor } from '../calls/outgoing.ts';
import type { SendTarget } from '../calls/target.ts';
import type { Attempt } from './attempt.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { Pair } from './ports.ts';

export type OutgoingOptions = {
  readonly pair: Pair;
  readonly own: OwnAddresses;
  readonly nowMs: number;
  /** Tells this transaction from all others. */
  readonly unique: string;
};

/** The request as one target gets it over the flow (RFC 3261 section 16.6). */
export function outgoingRequest(
  attempt: Attempt,
  target: SendTarget,
  flow: Flow,
  forwardings: readonly Forwarding[],
  { pair, own, nowMs, unique }: OutgoingOptions,
): Request {
  const { received, callerEnd } = attempt;
  const token =
    attempt.token ??
    sealDialogToken(pair.keys, received, { caller: callerEnd, callee: calleeEnd(target) }, nowMs);
  const { keys, peers } = pair;
  const frontOf = (site: string) =>
    peers.find(({ name }) => name === site)?.sip ?? { host: site, port: 5061 };
  const routes = routeSetFor(target, { ...attempt.routed, token }, { keys, frontOf });
  const bytes = forwardRequest(edited(attempt.request, target, forwardings), {
    ...routes,
    via: own.via(flow, makeBranch(unique, loopHash(received))),
    recordRoute: received.method === 'ACK' ? undefined : own.recordRoute(token, attempt.flow, flow),
  });
  return parseDatagram(bytes) as Request;
}

function calleeEnd(target: SendTarget): DialogEnd {
  const binding = target.kind === 'flow' || target.kind === 'peer' ? target.binding : null;
  return binding && { aor: binding.aor, device: deviceDigest(binding.device) };
}

/** What only this target gets to see, or not: how the call came to it, and who the caller is. */
function edited(request: Request, target: SendTarget, forwardings: readonly Forwarding[]): Request {
  const hidesCaller =
    (target.kind === 'flow' || target.kind === 'edge') &&
    request.has('p-asserted-identity') &&
    wantsPrivacy(request);
  if (forwardings.length === 0 && !hidesCaller) return request;
  const edit = new MessageEdit(request);
  for (const value of historyInfo(request, forwardings)) edit.append('History-Info', value);
  if (hidesCaller) edit.remove('P-Asserted-Identity');
  return parseDatagram(edit.toBuffer()) as Request;
}
