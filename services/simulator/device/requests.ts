import { buildRequest } from '../../sip/message/request.ts';
import type { HeaderLine } from '../user-agent/authentication.ts';
import { hostPort, newVia } from '../user-agent/via.ts';
import type { Endpoint } from '../../sip/transport/received.ts';

/** Who a simulated device is; texts are byte strings. */
export type Identity = {
  readonly user: string;
  readonly domain: string;
  /** Its +sip.instance (RFC 5626 section 4.1), the same each time it is switched on. */
  readonly instance: string;
};

/** The Request-URI of its REGISTER: the domain (RFC 3261 section 10.2). */
export function registrarOf({ domain }: Identity): string {
  return `sip:${domain}`;
}

/** What ties a request to those before it. */
export type Sequence = { readonly callId: string; readonly tag: string; readonly cseq: number };

export type RegisterParts = Sequence & {
  readonly expiresSeconds: number;
  /** Authorization, once challenged. */
  readonly credentials: readonly HeaderLine[];
};

/** A REGISTER of this device (RFC 3261 section 10.2). */
export function buildRegister(identity: Identity, from: Endpoint, parts: RegisterParts): Buffer {
  const { user, domain, instance } = identity;
  const { expiresSeconds, credentials, ...sequence } = parts;
  const contact = `<sip:${user}@${hostPort(from)}>;+sip.instance="<${instance}>"`;
  return build('REGISTER', identity, from, {
    ...sequence,
    uri: registrarOf(identity),
    to: `<sip:${user}@${domain}>`,
    headers: [
      ['Contact', contact],
      ['Expires', String(expiresSeconds)],
      ['Supported', 'path'],
      ...credentials,
    ],
  });
}

/** The handshake: an OPTIONS to the site itself. */
export function buildProbe(identity: Identity, from: Endpoint, sequence: Sequence): Buffer {
  const uri = registrarOf(identity);
  return build('OPTIONS', identity, from, { ...sequence, uri, to: `<${uri}>`, headers: [] });
}

type Parts = Sequence & {
  readonly uri: string;
  readonly to: string;
  readonly headers: readonly HeaderLine[];
};

function build(method: string, { user, domain }: Identity, from: Endpoint, parts: Parts): Buffer {
  const { uri, to, tag, callId, cseq, headers } = parts;
  return buildRequest({
    method,
    uri,
    via: newVia(from),
    from: `<sip:${user}@${domain}>;tag=${tag}`,
    to,
    callId,
    cseq,
    headers: [...headers, ['User-Agent', 'dualhome simulated device']],
  });
}
