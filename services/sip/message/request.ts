import { assemble } from './message.ts';
import type { Request, Response } from './message.ts';
import { headerSafe } from './text.ts';

/** What a request of our own consists of; texts are byte strings, addresses and Via already formatted. */
export type RequestParts = {
  readonly method: string;
  readonly uri: string;
  readonly via: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  readonly maxForwards?: number | undefined;
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly body?: Uint8Array | undefined;
};

const noBody = new Uint8Array(0);

/** A new request (section 8.1.1). */
export function buildRequest(parts: RequestParts): Buffer {
  const { method, uri, via, from, to, callId, cseq, maxForwards = 70, headers = [], body = noBody } = parts;
  const fields = [
    ['Via', via],
    ['Max-Forwards', String(maxForwards)],
    ['From', from],
    ['To', to],
    ['Call-ID', callId],
    ['CSeq', `${cseq} ${method}`],
    ...headers,
    ['Content-Length', String(body.length)],
  ] as const;
  const lines = fields.map(([name, value]) => `${headerSafe(name)}: ${headerSafe(value)}\r\n`);
  return assemble(`${headerSafe(method)} ${headerSafe(uri)} SIP/2.0\r\n${lines.join('')}\r\n`, body);
}

/** The CANCEL of an INVITE this element sent (section 9.1): same URI, top Via, Route, To, From, Call-ID and CSeq number. */
export function buildCancel(invite: Request): Buffer {
  return buildHopRequest('CANCEL', invite, invite.value('to') ?? '');
}

/** The ACK a client transaction sends for a final response other than 2xx (section 17.1.1.3). */
export function buildAck(invite: Request, response: Response): Buffer {
  return buildHopRequest('ACK', invite, response.value('to') ?? '');
}

function buildHopRequest(method: 'CANCEL' | 'ACK', invite: Request, to: string): Buffer {
  return buildRequest({
    method,
    uri: invite.uriText,
    via: invite.top('via') ?? '',
    from: invite.value('from') ?? '',
    to,
    callId: invite.callId ?? '',
    cseq: invite.cseq?.number ?? 0,
    headers: invite.lines('route').map((route) => ['Route', route] as const),
  });
}
