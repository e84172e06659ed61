import { isSip } from '../sip/message/uri.ts';
import type { Sender } from '../protocol/dispatch/common.ts';
import type { Request } from '../sip/message/message.ts';
import type { Dispatcher } from './dispatch/dispatcher.ts';
import { partyOf } from './dispatch/facts.ts';

/**
 * Whether whoever asks with OPTIONS is served here (M11): a device by the processor that is responsible for it, anybody
 * else by the home processor.
 */
export async function isServed(dispatcher: Dispatcher, request: Request, sender: Sender): Promise<boolean> {
  const from = request.from?.uri;
  const party = from && isSip(from) ? partyOf(from) : undefined;
  return party ? await dispatcher.isServed(party, sender) : dispatcher.isHomeServing;
}
