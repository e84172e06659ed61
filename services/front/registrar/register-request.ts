import type { Party } from '../../protocol/dispatch/common.ts';
import type { Address } from '../../sip/message/address.ts';
import { parseExpirySeconds } from '../../sip/message/fields.ts';
import { badRequest } from '../../sip/message/limits.ts';
import type { Refusal } from '../../sip/message/limits.ts';
import type { Request } from '../../sip/message/message.ts';
import { Params } from '../../sip/message/params.ts';
import { decodeText } from '../../sip/message/text.ts';
import { formatUri, isSip } from '../../sip/message/uri.ts';
import { extensionFault } from '../../sip/message/validate.ts';
import { partyOf } from '../dispatch/facts.ts';

/** One Contact of a REGISTER. */
export type ContactAsked = {
  readonly uri: string;
  /** Host with the port that was written. */
  readonly hostPort: string;
  /** The URI without port and parameters: what a device without an instance is known by. */
  readonly bareUri: string;
  /** The +sip.instance URN (RFC 5626 section 4.1), without angle brackets. */
  readonly instance: string | null;
  /** 0 where it does not take part in outbound. */
  readonly regId: number;
  /** In thousandths. */
  readonly q: number;
  /** Undefined where the registrar chooses; 0 removes the binding. */
  readonly expiresSeconds: number | undefined;
};

/** What a REGISTER asks for (RFC 3261 section 10.2). No contact at all asks what is bound. */
export type RegisterAsked = {
  readonly party: Party;
  /** `all`: every binding is to go. */
  readonly contacts: readonly ContactAsked[] | 'all';
  readonly callId: string;
  readonly cseq: number;
  readonly path: readonly string[];
  readonly userAgent: string | null;
};

const supportedExtensions = ['path', 'outbound', 'gruu'];

/** Of what is stored with a binding; the same as the model's. */
const limits = { contacts: 16, uri: 512, path: 8, pathUri: 1024, callId: 256, instance: 256, userAgent: 256 };

const tooLong: Refusal = { status: 513, reason: 'Message Too Large' };
const hopWithoutOutbound: Refusal = { status: 439, reason: 'First Hop Lacks Outbound Support' };

type Refused = { readonly refusal: Refusal };

/** What a well-formed REGISTER asks for, or why it cannot be asked (sections 10.3 and 21; RFC 5626 section 6). */
export function parseRegister(request: Request): RegisterAsked | Refused {
  const extension = extensionFault(request, 'require', supportedExtensions);
  if (extension) return { refusal: extension };
  const to = request.to?.uri;
  const party = to && isSip(to) ? partyOf(to) : undefined;
  if (!party) return { refusal: badRequest('To Names No Address Of Record') };
  const path = request.addresses('path')?.map(({ uriText }) => `<${uriText}>`);
  if (!path?.every(isStorable)) return { refusal: badRequest('Malformed Path') };
  const callId = request.callId ?? '';
  if (!isStorable(callId)) return { refusal: badRequest('Malformed Call-ID') };
  const isLong = path.length > limits.path || path.some((uri) => uri.length > limits.pathUri);
  if (isLong || callId.length > limits.callId) return { refusal: tooLong };
  const contacts = readContacts(request);
  if ('refusal' in contacts) return contacts;
  const cseq = request.cseq?.number ?? 0;
  return { party, contacts: contacts.asked, callId, cseq, path, userAgent: userAgentOf(request) };
}

function readContacts(request: Request): { readonly asked: RegisterAsked['contacts'] } | Refused {
  const ofAll = parseExpirySeconds(request.value('expires'));
  if (request.value('contact') === '*') {
    return ofAll === 0 ? { asked: 'all' } : { refusal: badRequest('Contact * Without Expires 0') };
  }
  const addresses = request.addresses('contact') ?? [];
  if (addresses.length > limits.contacts) return { refusal: tooLong };
  const asked: ContactAsked[] = [];
  for (const address of addresses) {
    const contact = readContact(address, ofAll);
    if ('refusal' in contact) return contact;
    asked.push(contact);
  }
  if (!asked.some(({ regId }) => regId > 0)) return { asked };
  if (asked.length > 1) return { refusal: badRequest('More Than One Contact With reg-id') };
  if (isFirstHopOutbound(request)) return { asked };
  if (supports(request, 'outbound')) return { refusal: hopWithoutOutbound };
  return { asked: asked.map((contact) => ({ ...contact, regId: 0 })) };
}

function readContact({ uri, uriText, params }: Address, ofAll: number | undefined): ContactAsked | Refused {
  if (!isSip(uri) || !isStorable(uriText)) return { refusal: badRequest('Contact Is No SIP URI') };
  const instance = params.get('+sip.instance')?.replaceAll(/[<>\s]/g, '') ?? '';
  if (uriText.length > limits.uri || instance.length > limits.instance) return { refusal: tooLong };
  const host = uri.host.toLowerCase();
  const regId = Number(/^[1-9]\d{0,8}$/.exec(params.get('reg-id') ?? '')?.[0] ?? 0);
  return {
    uri: uriText,
    hostPort: uri.port === undefined ? host : `${host}:${uri.port}`,
    bareUri: formatUri({ scheme: uri.scheme, user: uri.user, host, params: Params.none }),
    instance: instance === '' ? null : instance,
    regId: instance === '' ? 0 : regId,
    q: readQ(params.get('q')),
    expiresSeconds: parseExpirySeconds(params.get('expires')) ?? ofAll,
  };
}

/** Printable ASCII, as the grammar has it (section 25.1); parsers are laxer, what is stored for others is not. */
function isStorable(text: string): boolean {
  return /^[!-~]*$/.test(text);
}

/** The request came from the device itself, or the edge next to it says that it keeps the flow (RFC 5626 section 6). */
function isFirstHopOutbound(request: Request): boolean {
  if (request.values('via').length === 1) return true;
  const edge = request.addresses('path')?.at(-1)?.uri;
  return edge !== undefined && isSip(edge) && edge.params.has('ob');
}

/** Whether the sender understands an extension (section 20.37). */
export function supports(request: Request, extension: string): boolean {
  return request.values('supported').some((tag) => tag.toLowerCase() === extension);
}

/** `q` in thousandths; 1 where there is none (section 20.10). */
function readQ(text: string | undefined): number {
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text ?? '') ? Math.round(Number(text) * 1000) : 1000;
}

function userAgentOf(request: Request): string | null {
  const text = decodeText(request.value('user-agent') ?? '')
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim();
  return text === '' ? null : text.slice(0, limits.userAgent);
}
