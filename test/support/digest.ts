import { digestHa1, digestResponse } from '../../services/sip/auth/digest.ts';
import type { DigestAlgorithm } from '../../services/sip/auth/digest.ts';
import type { CredentialFacts } from '../../services/protocol/dispatch/common.ts';

/** Everybody's password in tests. */
export const password = 'secret';

export type Answering = {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm?: DigestAlgorithm | undefined;
  readonly password?: string | undefined;
  /** Requests sent with this nonce, this one included; null for a client without quality of protection. */
  readonly count?: number | null | undefined;
  readonly method?: string | undefined;
  /** Who the HA1 was made for, where it is another form of the name. */
  readonly hashedAs?: string | undefined;
};

/** The credentials of a client that answers a challenge. */
export function credentials(answering: Answering): CredentialFacts {
  const { username, realm, nonce, algorithm = 'MD5', count = 1, method = 'REGISTER' } = answering;
  const hashedAs = answering.hashedAs ?? username;
  const ha1 = digestHa1(algorithm, hashedAs, realm, answering.password ?? password);
  const uri = `sip:${realm}`;
  const qop = count === null ? null : { nonceCount: count.toString(16).padStart(8, '0'), cnonce: 'c' };
  const counted = qop === null ? undefined : { value: 'auth' as const, ...qop };
  const response = digestResponse(ha1, { algorithm, method, uri, nonce, qop: counted });
  return { username, realm, response, algorithm, method, uri, nonce, qop };
}
