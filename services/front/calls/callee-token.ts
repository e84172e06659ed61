import { calleeSchema } from '../../protocol/dispatch/call.ts';
import type { Callee } from '../../protocol/dispatch/call.ts';
import { openToken, sealToken } from '../../sip/auth/token.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';

const purpose = 'callee';

/**
 * What a peer's front is asked with for whom it knows more of: a subscriber without a device known here while the link is
 * down, or one whose processor is down here. The caller was judged where the token was made.
 */
export function sealCalleeToken(keys: TokenKeys, callee: Callee): string {
  return sealToken(keys, purpose, Buffer.from(JSON.stringify(callee)));
}

/** The callee of a token that one of the keys signed. */
export function openCalleeToken(keys: TokenKeys, token: string): Callee | undefined {
  const payload = openToken(keys, purpose, token);
  return payload && calleeSchema.parse(JSON.parse(payload.toString('utf8')));
}
