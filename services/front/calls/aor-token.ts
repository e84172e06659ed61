import { openToken, sealToken } from '../../sip/auth/token.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';

const purpose = 'devices of';

/**
 * What a peer's front is asked with for whatever devices of an address of record it has, where none of them is known
 * here: while the link is down it may know more.
 */
export function sealAorToken(keys: TokenKeys, aor: string): string {
  return sealToken(keys, purpose, Buffer.from(aor, 'latin1'));
}

/** The address of record of such a token. */
export function openAorToken(keys: TokenKeys, token: string): string | undefined {
  return openToken(keys, purpose, token)?.toString('latin1');
}
