import { charClass, isRun } from './characters.ts';
import { parseSipDate } from './fields.ts';
import { usualSpelling } from './header-name.ts';
import { badRequest } from './limits.ts';
import type { Refusal } from './limits.ts';
import type { Request, Response } from './message.ts';
import { isSip } from './uri.ts';
import { parseVia } from './via.ts';

/**
 * Why a request cannot be served by anyone who follows the RFC, or undefined: RFC 3261 sections 8.2 and 16.3
 * (reasonable syntax, URI scheme), the refusals of RFC 4475. Fields a proxy need not understand are left alone.
 * A From without tag, a missing Max-Forwards and a missing branch are those of RFC 2543 and are served.
 */
export function refusalOf(request: Request): Refusal | undefined {
  return request.head.fault ?? syntaxFault(request) ?? uriFault(request) ?? requestFieldFault(request);
}

/** Why a response must be discarded, or undefined (section 8.1.3, RFC 4475 section 3.1.2.5). */
export function discardReasonOf(response: Response): string | undefined {
  return (response.head.fault ?? syntaxFault(response) ?? numberFault(response))?.reason;
}

const mandatory = ['via', 'from', 'to', 'call-id', 'cseq'];

/** Fields that may appear once only (section 7.3.1: those whose grammar is no comma-separated list). */
const singular = new Map(
  [
    'call-id',
    'content-length',
    'content-type',
    'cseq',
    'date',
    'expires',
    'from',
    'max-forwards',
    'min-expires',
    'refer-to',
    'retry-after',
    'timestamp',
    'to',
  ].map((name, i) => [name, 1 << i]),
);

function syntaxFault(message: Request | Response): Refusal | undefined {
  return multiplicityFault(message) ?? mandatoryFault(message) ?? viaFault(message) ?? dateFault(message);
}

function multiplicityFault(message: Request | Response): Refusal | undefined {
  let seen = 0;
  for (const { name } of message.head.fields) {
    const bit = singular.get(name) ?? 0;
    if ((seen & bit) !== 0) return badRequest(`More Than One ${usualSpelling(name)}`);
    seen |= bit;
  }
  return undefined;
}

function mandatoryFault(message: Request | Response): Refusal | undefined {
  for (const name of mandatory) if (!message.has(name)) return badRequest(`No ${usualSpelling(name)}`);
  if (!message.from) return badRequest('Malformed From');
  if (!message.to) return badRequest('Malformed To');
  if (!message.cseq) return badRequest('Malformed CSeq');
  return isRun(message.callId ?? '', charClass.visible) ? undefined : badRequest('Malformed Call-ID');
}

function viaFault(message: Request | Response): Refusal | undefined {
  if (!message.via) return badRequest('Malformed Via');
  const vias = message.values('via');
  for (let i = 1; i < vias.length; i++) if (!parseVia(vias[i] ?? '')) return badRequest('Malformed Via');
  return undefined;
}

function dateFault(message: Request | Response): Refusal | undefined {
  const date = message.value('date');
  return date !== undefined && parseSipDate(date) === undefined ? badRequest('Malformed Date') : undefined;
}

/** Section 16.3 step 2; a Request-URI has no header part (section 19.1.1). */
function uriFault(request: Request): Refusal | undefined {
  const { uri } = request;
  if (!uri) return badRequest('Malformed Request-URI');
  if (uri.scheme === 'other') return { status: 416, reason: 'Unsupported URI Scheme' };
  return isSip(uri) && uri.headers !== undefined ? badRequest('Header In Request-URI') : undefined;
}

function requestFieldFault(request: Request): Refusal | undefined {
  if (request.cseq?.method !== request.method) return badRequest('CSeq Method Is Another');
  if (request.has('max-forwards') && request.maxForwards === undefined) {
    return badRequest('Malformed Max-Forwards');
  }
  if (request.value('contact') !== '*' && !request.addresses('contact'))
    return badRequest('Malformed Contact');
  const isRoutable = request.addresses('route')?.every(({ uri }) => uri.scheme !== 'other');
  return isRoutable ? undefined : badRequest('Malformed Route');
}

/** Retry-After and Warning with impossible numbers make a response unfit (RFC 4475 section 3.1.2.5). */
function numberFault(response: Response): Refusal | undefined {
  const retryAfter = /^\d*/.exec(response.value('retry-after') ?? '')?.[0] ?? '';
  return retryAfter.length > 10 ? badRequest('Malformed Retry-After') : undefined;
}

/**
 * The 420 for extensions a Require or Proxy-Require field asks for beyond the supported ones, or undefined
 * (sections 8.2.2.3 and 16.3 step 5). ACK and CANCEL must not be refused for it.
 */
export function extensionFault(
  request: Request,
  field: 'require' | 'proxy-require',
  supported: readonly string[],
): Refusal | undefined {
  if (request.method === 'ACK' || request.method === 'CANCEL') return undefined;
  const unknown = request.values(field).filter((tag) => !supported.includes(tag.toLowerCase()));
  if (unknown.length === 0) return undefined;
  return { status: 420, reason: 'Bad Extension', headers: [['Unsupported', unknown.join(', ')]] };
}
