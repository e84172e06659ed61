import { quoted } from '../message/text.ts';
import { parseAuthHeader } from './auth-header.ts';
import { digestResponse } from './digest.ts';
import type { DigestAlgorithm } from './digest.ts';

export type Challenge = {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  /** The credentials were right but the nonce was not: the client tries again without asking its user. */
  readonly isStale: boolean;
};

/**
 * The value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 section 3.3). Several algorithms mean several fields,
 * the preferred one first (RFC 8760 section 2.3).
 */
export function formatChallenge({ realm, nonce, algorithm, isStale }: Challenge): string {
  const stale = isStale ? ', stale=true' : '';
  return `Digest realm=${quoted(realm)}, nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale}`;
}

/** Reads a challenge a client can answer; undefined for another scheme, algorithm or quality of protection. */
export function parseChallenge(text: string): Challenge | undefined {
  const header = parseAuthHeader(text);
  if (header?.scheme !== 'digest') return undefined;
  const { params } = header;
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  const algorithm = algorithmOf(params.get('algorithm'));
  const offersAuth = (params.get('qop') ?? '').split(',').some((qop) => qop.trim() === 'auth');
  if (realm === undefined || nonce === undefined || !algorithm || !offersAuth) return undefined;
  return { realm, nonce, algorithm, isStale: params.get('stale')?.toLowerCase() === 'true' };
}

export type Answer = {
  readonly username: string;
  readonly ha1: string;
  readonly method: string;
  readonly uri: string;
  readonly cnonce: string;
  /** Requests sent with this nonce, this one included. */
  readonly count: number;
};

/** The value of Authorization or Proxy-Authorization that answers a challenge. */
export function answerChallenge(challenge: Challenge, answer: Answer): string {
  const { realm, nonce, algorithm } = challenge;
  const { username, ha1, method, uri, cnonce, count } = answer;
  const nonceCount = count.toString(16).padStart(8, '0');
  const qop = { value: 'auth', nonceCount, cnonce } as const;
  const response = digestResponse(ha1, { algorithm, method, uri, nonce, qop });
  return [
    `Digest username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    `cnonce="${cnonce}"`,
    'qop=auth',
    `nc=${nonceCount}`,
  ].join(', ');
}

/** No algorithm means MD5 (RFC 7616 section 3.3). */
export function algorithmOf(text: string | undefined): DigestAlgorithm | undefined {
  const name = (text ?? 'MD5').toUpperCase();
  return name === 'MD5' || name === 'SHA-256' ? name : undefined;
}
