import { isSip } from '../sip/message/uri.ts';
import type { Request } from '../sip/message/message.ts';
import type { Flow } from '../sip/transport/flow-token.ts';
import type { Dispatcher } from './dispatch/dispatcher.ts';
import { partyOf, sourceOf } from './dispatch/facts.ts';

/**
 * Whether whoever asks with OPTIONS is served here (M11): a device by the processor that is responsible for it, anybody
 * else by the home processor.
 */
export async function isServed(dispatcher: Dispatcher, request: Request, flow: Flow): Promise<boolean> {
  const from = request.from?.uri;
  const party = from && isSip(from) ? partyOf(from) : undefined;
  if (!party) return dispatcher.home?.isServing === true;
  return await dispatcher.isServed(`${party.user}@${party.host}`, {
    kind: 'register',
    party,
    credentials: null,
    source: sourceOf(flow),
    instance: null,
    contactHost: null,
  });
}
