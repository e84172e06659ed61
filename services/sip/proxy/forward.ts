import { MessageEdit } from '../message/edit.ts';
import type { Request, Response } from '../message/message.ts';
import { parseVia } from '../message/via.ts';
import type { Via } from '../message/via.ts';
import type { RouteSet } from './route.ts';

/** Max-Forwards of a request that came without (RFC 3261 section 16.6 step 3). */
const initialMaxForwards = 70;

export type Forwarding = RouteSet & {
  /** This element's Via, its branch unique to the target. */
  readonly via: string;
  /** This element's Record-Route value, where it wants to stay in the dialog's path. */
  readonly recordRoute?: string | undefined;
};

/** The copy of a request that goes to one target (section 16.6 steps 1 to 9); every other field and the body stay. */
export function forwardRequest(request: Request, forwarding: Forwarding): Buffer {
  const { uri, routes, via, recordRoute } = forwarding;
  const edit = new MessageEdit(request);
  const maxForwards = request.maxForwards ?? initialMaxForwards + 1;
  if (uri !== request.uriText) edit.requestUri(uri);
  edit.set('Max-Forwards', String(maxForwards - 1)).remove('Route');
  if (routes.length > 0) edit.push('Route', routes.join(', '));
  if (recordRoute !== undefined) edit.push('Record-Route', recordRoute);
  return edit.push('Via', via).toBuffer();
}

/**
 * A response on its way back (section 16.7 steps 3, 7 and 9): this element's Via is taken off, the challenges that
 * other branches brought are added. Undefined where no Via is left: it was for this element itself.
 */
export function forwardResponse(
  response: Response,
  challenges: readonly Response[] = [],
): { readonly bytes: Buffer; readonly via: Via } | undefined {
  const via = parseVia(response.values('via')[1] ?? '');
  if (!via) return undefined;
  const edit = new MessageEdit(response);
  edit.pop('Via');
  for (const challenge of challenges) {
    for (const value of challenge.lines('www-authenticate')) edit.append('WWW-Authenticate', value);
    for (const value of challenge.lines('proxy-authenticate')) edit.append('Proxy-Authenticate', value);
  }
  return { bytes: edit.toBuffer(), via };
}
