import { randomBytes, randomInt } from 'node:crypto';
import type { z } from 'zod';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { challengeSchema, CredentialFacts } from '../../protocol/dispatch/common.ts';
import { judgeCredentials } from '../../sip/auth/credentials.ts';
import { makeNonce, uniqueMax } from '../../sip/auth/nonce.ts';
import { NonceCounts } from '../../sip/auth/nonce-counts.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';

export type Challenge = z.infer<typeof challengeSchema>;

/** Opened secrets of a subscriber, hex; at least one where he can be authenticated at all. */
export type Ha1 = { readonly md5: string | null; readonly sha256: string | null };

/** Whom credentials are to be those of. */
export type Claim = {
  readonly realm: string;
  /** Names he may call himself: `user` or `user@domain`. */
  readonly usernames: readonly string[];
  /** Undefined for a user nobody knows: nothing proves it then, and nothing shows it. */
  readonly ha1: Ha1 | undefined;
};

export type AuthenticatorOptions = {
  /** This site's own, so that a nonce of the other site is foreign here, and stale. */
  readonly nonceKeys: TokenKeys;
  readonly clock: Clock;
};

const nonceLifetimeMs = 300_000;
const noncesMax = 65_536;

/**
 * Asks for credentials and judges them (RFC 7616, RFC 3261 section 22).
 *
 * Invariant: a nonce-count is accepted once; unknown user, foreign name and wrong password take the same steps and get
 * the same answer.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #counts = new NonceCounts(noncesMax);
  /** What the credentials of unknown users are compared with; no password leads to it. */
  readonly #nobodys = randomBytes(16).toString('hex');

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** Undefined where the credentials prove the claim; else what to ask for. */
  challengeFor({ realm, usernames, ha1 }: Claim, credentials: CredentialFacts | null): Challenge | undefined {
    const algorithm = algorithmOf(ha1);
    const secret = usernames.includes(credentials?.username ?? '') ? secretOf(ha1, algorithm) : null;
    const isAnswer = credentials?.realm === realm && credentials.algorithm === algorithm;
    const verdict = isAnswer ? this.#judge(credentials, secret ?? this.#nobodys) : 'wrong';
    if (verdict === 'accepted') return undefined;
    return { kind: 'challenge', realm, nonce: this.#nonce(realm), algorithm, stale: verdict === 'stale' };
  }

  /** Forgets counts of nonces too old to be accepted; call it from time to time. */
  expire(): void {
    this.#counts.expire(this.#options.clock.nowMs() - nonceLifetimeMs);
  }

  #judge({ nonce, qop, ...facts }: CredentialFacts, ha1: string) {
    const { username, realm, response, algorithm, method, uri } = facts;
    const counted = qop === null ? undefined : { value: 'auth' as const, ...qop };
    const credentials = {
      username,
      realm,
      response,
      input: { algorithm, method, uri, nonce, qop: counted },
    };
    return judgeCredentials(credentials, ha1, {
      keys: this.#options.nonceKeys,
      nowMs: this.#options.clock.nowMs(),
      nonceLifetimeMs,
      counts: this.#counts,
    });
  }

  #nonce(realm: string): string {
    return makeNonce(this.#options.nonceKeys, realm, this.#options.clock.nowMs(), randomInt(uniqueMax));
  }
}

/** Offering both breaks phones that look at the first only, so it is MD5 unless SHA-256 is all there is (RFC 8760). */
function algorithmOf(ha1: Ha1 | undefined): Challenge['algorithm'] {
  return ha1 && ha1.md5 === null && ha1.sha256 !== null ? 'SHA-256' : 'MD5';
}

function secretOf(ha1: Ha1 | undefined, algorithm: Challenge['algorithm']): string | null {
  return (algorithm === 'MD5' ? ha1?.md5 : ha1?.sha256) ?? null;
}
