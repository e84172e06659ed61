import type { CredentialFacts, Party, Source } from '../../protocol/dispatch/common.ts';
import { credentialsSchema } from '../../protocol/dispatch/common.ts';
import { parseCredentials } from '../../sip/auth/credentials.ts';
import type { Request } from '../../sip/message/message.ts';
import { decodeText } from '../../sip/message/text.ts';
import type { SipUri } from '../../sip/message/uri.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';

const userMax = 256;
const hostMax = 260;

/** Whom a URI names, as processors are told; undefined where it names nobody, or in too many words. */
export function partyOf({ user, host, port }: SipUri): Party | undefined {
  const name = user === undefined ? undefined : unescaped(user);
  const at = port === undefined ? host.toLowerCase() : `${host.toLowerCase()}:${port}`;
  return name && name.length <= userMax && at.length <= hostMax ? { user: name, host: at } : undefined;
}

export function sourceOf({ transport, address, port }: Pick<Flow, keyof Source>): Source {
  return { transport: transportNames[transport], address, port };
}

const transportNames = { UDP: 'udp', TCP: 'tcp', TLS: 'tls' } as const;

/** The first Digest credentials of a request; null where there are none that a processor could judge. */
export function credentialFacts(
  request: Request,
  field: 'authorization' | 'proxy-authorization',
): CredentialFacts | null {
  for (const line of request.lines(field)) {
    const credentials = parseCredentials(line, request.method);
    if (!credentials) continue;
    const { username, realm, response, input } = credentials;
    const { algorithm, method, uri, nonce, qop } = input;
    const facts = {
      username,
      realm,
      response,
      algorithm,
      method,
      uri,
      nonce,
      qop: qop ? { nonceCount: qop.nonceCount, cnonce: qop.cnonce } : null,
    };
    return credentialsSchema.safeParse(facts).success ? facts : null;
  }
  return null;
}

/** What the escapes of a user part stand for, in Unicode (RFC 3261 section 19.1.4). */
function unescaped(user: string): string {
  const bytes = user.includes('%')
    ? user.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : user;
  return decodeText(bytes);
}
