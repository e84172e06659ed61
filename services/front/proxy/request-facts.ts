import type { Dialled, OriginateFacts } from '../../protocol/dispatch/call.ts';
import type { Party } from '../../protocol/dispatch/common.ts';
import type { Request } from '../../sip/message/message.ts';
import { isSip, parseUri } from '../../sip/message/uri.ts';
import type { SipUri, Uri } from '../../sip/message/uri.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { credentialFacts, partyOf, sourceOf } from '../dispatch/facts.ts';

export type RequestContext = {
  readonly flow: Flow;
  /** Whether a URI is an address of this front. */
  readonly isHere: (uri: SipUri) => boolean;
  readonly certificateSha256: string | undefined;
};

/** What a processor is told of a request outside of dialogs; undefined where it names nobody it is from or for. */
export function originateFacts(
  request: Request,
  uri: Uri | undefined,
  { flow, isHere, certificateSha256 }: RequestContext,
): OriginateFacts | undefined {
  const from = fromOf(request.from?.uri);
  const called = dialledOf(uri, isHere);
  const asserted = ['p-asserted-identity', 'p-preferred-identity']
    .flatMap((name) => request.addresses(name) ?? [])
    .map((address) => dialledOf(address.uri, nowhere));
  if (!from || !called || asserted.length > 4) return undefined;
  return {
    kind: 'originate',
    method: request.method,
    from,
    asserted: asserted.filter((each) => each !== undefined),
    called,
    credentials: credentialFacts(request, 'proxy-authorization') ?? credentialFacts(request, 'authorization'),
    source: sourceOf(flow),
    certificateSha256: certificateSha256 ?? null,
    isRehearsal: false,
  };
}

/** What a processor is told where an operator asks what would become of a call; `called` as a device of `from` dials it. */
export function rehearsalFacts(
  from: string,
  called: string,
  isHere: RequestContext['isHere'],
): OriginateFacts | undefined {
  const caller = fromOf(parseUri(`sip:${from}`));
  const dialled = caller && dialledOf(parseUri(uriOf(called, caller.host)), isHere);
  if (!caller || !dialled) return undefined;
  return {
    kind: 'originate',
    method: 'INVITE',
    from: caller,
    asserted: [],
    called: dialled,
    credentials: null,
    source: { transport: 'udp', address: '127.0.0.1', port: 0 },
    certificateSha256: null,
    isRehearsal: true,
  };
}

/** The Request-URI a device makes of what is dialled: a URI, an address, or a name or number in its own domain. */
function uriOf(called: string, domain: string): string {
  if (/^(sips?|tel):/i.test(called)) return called;
  return called.includes('@') ? `sip:${called}` : `sip:${encodeURIComponent(called)}@${domain}`;
}

const nowhere = (): boolean => false;

function fromOf(uri: Uri | undefined): Party | undefined {
  const dialled = dialledOf(uri, nowhere);
  return dialled && { user: dialled.user, host: dialled.host ?? '' };
}

/** A number or name of a SIP or tel URI. */
export function dialledOf(uri: Uri | undefined, isHere: RequestContext['isHere']): Dialled | undefined {
  if (!uri || uri.scheme === 'other') return undefined;
  if (isSip(uri)) {
    const party = partyOf(uri);
    return party && { ...party, isHere: isHere(uri) };
  }
  const context = uri.params.get('phone-context');
  const host = context === undefined || context.startsWith('+') ? null : context.toLowerCase();
  return { user: uri.number, host, isHere: false };
}
