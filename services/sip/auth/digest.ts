import { hash } from 'node:crypto';

/** What RFC 8760 makes of the algorithms of RFC 7616 here: those that phones have. */
export type DigestAlgorithm = 'MD5' | 'SHA-256';

const hashNames = { MD5: 'md5', 'SHA-256': 'sha256' } as const;

/** Everything a digest response is computed from besides HA1 (RFC 7616 section 3.4.1). */
export type DigestInput = {
  readonly algorithm: DigestAlgorithm;
  readonly method: string;
  /** `uri` as the client wrote it. */
  readonly uri: string;
  readonly nonce: string;
  /** Absent with clients of RFC 2069, which know no quality of protection (RFC 3261 section 22.4 item 8). */
  readonly qop?: { readonly value: 'auth'; readonly nonceCount: string; readonly cnonce: string } | undefined;
};

/** HA1, the secret that stands for a password: H(username:realm:password). */
export function digestHa1(
  algorithm: DigestAlgorithm,
  username: string,
  realm: string,
  password: string,
): string {
  return hash(hashNames[algorithm], `${username}:${realm}:${password}`, 'hex');
}

/** The `response` a client that knows HA1 sends. Texts are hashed as UTF-8. */
export function digestResponse(ha1: string, input: DigestInput): string {
  const { algorithm, method, uri, nonce, qop } = input;
  const ha2 = hash(hashNames[algorithm], `${method}:${uri}`, 'hex');
  const middle = qop ? `${nonce}:${qop.nonceCount}:${qop.cnonce}:${qop.value}` : nonce;
  return hash(hashNames[algorithm], `${ha1}:${middle}:${ha2}`, 'hex');
}
