import { formatChallenge } from '../../sip/auth/challenge.ts';
import type { Challenge } from '../../protocol/dispatch/common.ts';
import { formatSipDate } from '../../sip/message/fields.ts';
import type { Request } from '../../sip/message/message.ts';
import { encodeText, quoted } from '../../sip/message/text.ts';
import type { Listed } from './bindings.ts';
import { supports } from './register-request.ts';
import type { RegisterAsked } from './register-request.ts';

type Header = readonly [name: string, value: string];

/** Header fields of the 200 to a REGISTER (RFC 3261 section 10.3 step 8, RFC 3327 section 5.3, RFC 5626 section 6). */
export function grantedHeaders(
  request: Request,
  asked: RegisterAsked,
  listed: readonly Listed[],
  nowMs: number,
): Header[] {
  const headers: Header[] = listed.map((each) => ['Contact', formatContact(each)]);
  if (supports(request, 'path')) for (const uri of asked.path) headers.push(['Path', uri]);
  const isOutbound = asked.contacts !== 'all' && asked.contacts.some(({ regId }) => regId > 0);
  if (isOutbound && supports(request, 'outbound')) headers.push(['Require', 'outbound']);
  headers.push(['Date', formatSipDate(nowMs)]);
  return headers;
}

/** The field a 401 asks for credentials with. */
export function challengeHeader({ realm, nonce, algorithm, stale }: Challenge): Header {
  const value = formatChallenge({ realm: encodeText(realm), nonce, algorithm, isStale: stale });
  return ['WWW-Authenticate', value];
}

function formatContact({ uri, instance, regId, q, expiresSeconds }: Listed): string {
  const ofInstance = instance === null ? '' : `;+sip.instance=${quoted(`<${instance}>`)}`;
  const ofFlow = regId === 0 ? '' : `;reg-id=${regId}`;
  const preference = q === 1000 ? '' : `;q=${q / 1000}`;
  return `<${uri}>;expires=${expiresSeconds}${ofInstance}${ofFlow}${preference}`;
}
