import { timingSafeEqual } from 'node:crypto';
import type { Request } from '../message/message.ts';
import type { Params } from '../message/params.ts';
import { decodeText } from '../message/text.ts';
import { parseAuthHeader } from './auth-header.ts';
import { algorithmOf } from './challenge.ts';
import { digestResponse } from './digest.ts';
import type { DigestInput } from './digest.ts';
import { judgeNonce } from './nonce.ts';
import type { NonceCounts } from './nonce-counts.ts';
import type { TokenKeys } from './token.ts';

/** Digest credentials as a client sent them, well-formed but not yet believed. */
export type Credentials = {
  /** In Unicode. */
  readonly username: string;
  readonly realm: string;
  /** Hexadecimal, lower case. */
  readonly response: string;
  readonly input: DigestInput;
};

/**
 * The credentials of a request for this realm (RFC 3261 section 22.4), or undefined: none, of another scheme (which
 * counts as none, RFC 4475 section 3.3.7), or malformed. The `uri` in them may differ from the Request-URI, which a
 * proxy on the way may have changed.
 */
export function credentialsOf(
  request: Request,
  field: 'authorization' | 'proxy-authorization',
  realm: string,
): Credentials | undefined {
  for (const line of request.lines(field)) {
    const credentials = parseCredentials(line, request.method);
    if (credentials?.realm === realm) return credentials;
  }
  return undefined;
}

/** Parses Digest credentials sent with a request of this method. */
export function parseCredentials(text: string, method: string): Credentials | undefined {
  const header = parseAuthHeader(text);
  if (header?.scheme !== 'digest') return undefined;
  const { params } = header;
  const [username, realm, nonce, uri, response] = ['username', 'realm', 'nonce', 'uri', 'response'].map(
    (name) => params.get(name),
  );
  const algorithm = algorithmOf(params.get('algorithm'));
  if (!username || realm === undefined || !nonce || !uri || !response || !algorithm) return undefined;
  const qop = parseQop(params);
  if (params.has('qop') && !qop) return undefined;
  const input = { algorithm, method, uri, nonce, qop };
  return { username: decodeText(username), realm, response: response.toLowerCase(), input };
}

/** Quality of protection with its counter; undefined where there is none or another than `auth`. */
function parseQop(params: Params): DigestInput['qop'] {
  const nonceCount = params.get('nc') ?? '';
  const cnonce = params.get('cnonce');
  if (params.get('qop') !== 'auth' || cnonce === undefined) return undefined;
  return /^[0-9a-f]{8}$/i.test(nonceCount) ? { value: 'auth', nonceCount, cnonce } : undefined;
}

/** What credentials are worth. `stale` asks the client to try again with a new nonce (RFC 7616 section 3.3). */
export type Verdict = 'accepted' | 'wrong' | 'stale';

export type Verification = {
  readonly keys: TokenKeys;
  readonly nowMs: number;
  readonly nonceLifetimeMs: number;
  readonly counts: NonceCounts;
};

/**
 * Judges credentials against HA1. The digest comes first, so that only who knows the password learns about nonces and
 * leaves a trace in the counts; a right one on a foreign, old or used nonce is stale. Whoever has no HA1 for the user
 * passes any other one, so that unknown user and wrong password take the same steps.
 */
export function judgeCredentials(credentials: Credentials, ha1: string, verification: Verification): Verdict {
  const { realm, response, input } = credentials;
  const { keys, nowMs, nonceLifetimeMs, counts } = verification;
  if (!isEqual(digestResponse(ha1, input), response)) return 'wrong';
  const nonce = judgeNonce(keys, realm, input.nonce, nowMs, nonceLifetimeMs);
  if (nonce.kind !== 'fresh') return 'stale';
  const count = input.qop ? Number.parseInt(input.qop.nonceCount, 16) : uncounted;
  return counts.use(input.nonce, nonce.issuedMs, count) ? 'accepted' : 'stale';
}

/** The count of credentials without one: such a nonce can be used once. */
const uncounted = 1;

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));
}
