import type { Dialled, OriginateFacts } from '../../protocol/dispatch/call.ts';
import type { Party } from '../../protocol/dispatch/common.ts';
import type { Request } from '../../sip/message/message.ts';
import { isSip } from '../../sip/message/uri.ts';
import type { Uri } from '../../sip/message/uri.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { credentialFacts, partyOf, sourceOf } from '../dispatch/facts.ts';

/** What a processor is told of a request outside of dialogs; undefined where it names nobody it is from or for. */
export function originateFacts(
  request: Request,
  uri: Uri | undefined,
  flow: Flow,
  certificateSha256: string | undefined,
): OriginateFacts | undefined {
  const from = fromOf(request.from?.uri);
  const called = dialledOf(uri);
  const asserted = ['p-asserted-identity', 'p-preferred-identity']
    .flatMap((name) => request.addresses(name) ?? [])
    .map((address) => dialledOf(address.uri));
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

function fromOf(uri: Uri | undefined): Party | undefined {
  const dialled = dialledOf(uri);
  return dialled && { user: dialled.user, host: dialled.host ?? '' };
}

/** A number or name of a SIP or tel URI. */
export function dialledOf(uri: Uri | undefined): Dialled | undefined {
  if (!uri || uri.scheme === 'other') return undefined;
  if (isSip(uri)) return partyOf(uri);
  const context = uri.params.get('phone-context');
  const host = context === undefined || context.startsWith('+') ? null : context.toLowerCase();
  return { user: uri.number, host };
}
