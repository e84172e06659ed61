import { parseAddress } from '../../sip/message/address.ts';
import type { Request, Response } from '../../sip/message/message.ts';
import { buildRequest } from '../../sip/message/request.ts';
import { isSip, parseUri } from '../../sip/message/uri.ts';
import { bare } from '../../sip/transport/received.ts';
import type { Endpoint } from '../../sip/transport/received.ts';
import type { HeaderLine } from '../user-agent/authentication.ts';
import { newVia } from '../user-agent/via.ts';

/** A dialog as one of its ends keeps it (RFC 3261 section 12); addresses with their tags, as header values. */
export type Dialog = {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  /** Contact URI of the other end. */
  remoteTarget: string;
  /** Route values, the first one nearest. */
  readonly routes: readonly string[];
  cseq: number;
};

/** The dialog that the caller has once its INVITE was answered with 2xx (section 12.1.2). */
export function dialogOfCaller(invite: Request, answer: Response): Dialog {
  return {
    callId: invite.callId ?? '',
    local: invite.value('from') ?? '',
    remote: answer.value('to') ?? '',
    remoteTarget: contactOf(answer),
    routes: answer.values('record-route').toReversed(),
    cseq: invite.cseq?.number ?? 0,
  };
}

/** The dialog that the called has once it answers with `toTag` (section 12.1.1). */
export function dialogOfCalled(invite: Request, toTag: string): Dialog {
  return {
    callId: invite.callId ?? '',
    local: `${invite.value('to') ?? ''};tag=${toTag}`,
    remote: invite.value('from') ?? '',
    remoteTarget: contactOf(invite),
    routes: invite.values('record-route'),
    cseq: 0,
  };
}

/** A request within the dialog (section 12.2.1.1); an ACK has the number of its INVITE. */
export function buildInDialog(
  dialog: Dialog,
  method: string,
  from: Endpoint,
  headers: readonly HeaderLine[] = [],
): Buffer {
  if (method !== 'ACK') dialog.cseq += 1;
  return buildRequest({
    method,
    uri: dialog.remoteTarget,
    via: newVia(from),
    from: dialog.local,
    to: dialog.remote,
    callId: dialog.callId,
    cseq: dialog.cseq,
    headers: [...dialog.routes.map((route) => ['Route', route] as const), ...headers],
  });
}

/** Where a request within the dialog goes: to the first Route, else to the other end. */
export function nextHopOf({ routes, remoteTarget }: Dialog): Endpoint {
  const uri = parseAddress(routes[0] ?? '')?.uri ?? parseUri(remoteTarget);
  return uri && isSip(uri) ? { address: bare(uri.host), port: uri.port ?? 5060 } : { address: '', port: 0 };
}

function contactOf(message: Request | Response): string {
  return message.addresses('contact')?.[0]?.uriText ?? '';
}
