import type { Caller } from '../../protocol/dispatch/call.ts';
import { MessageEdit } from '../../sip/message/edit.ts';
import type { Request } from '../../sip/message/message.ts';
import { encodeText, quoted } from '../../sip/message/text.ts';

/**
 * The request as it goes on, whoever gets it: the caller's identity is what was proven here (RFC 3325 section 5), and
 * credentials that were for this element stay here (RFC 3261 section 22.3).
 */
export function withProvenIdentity(request: Request, caller: Caller): MessageEdit {
  const edit = new MessageEdit(request);
  if (caller.kind === 'third-party') return edit.remove('Proxy-Authorization');
  edit.remove(request.has('proxy-authorization') ? 'Proxy-Authorization' : 'Authorization');
  const name = caller.displayName === null ? '' : `${quoted(encodeText(caller.displayName))} `;
  return edit.remove('P-Preferred-Identity').set('P-Asserted-Identity', `${name}<sip:${caller.aor}>`);
}

/** Nobody proved who he is: what is asserted about him goes no further. */
export function withoutIdentity(request: Request): MessageEdit {
  return new MessageEdit(request).remove('P-Preferred-Identity').remove('P-Asserted-Identity');
}

/** Whether the caller asked not to be shown to whom he calls (RFC 3323, RFC 3325 section 7). */
export function wantsPrivacy(request: Request): boolean {
  const values = request.values('privacy').flatMap((value) => value.split(';'));
  return values.some((value) => ['id', 'user'].includes(value.trim().toLowerCase()));
}
