import type { Callee, Destination, LocateDecision } from '../../protocol/dispatch/call.ts';
import type { Located } from '../calls/call-types.ts';
import { planDevices } from '../calls/plan.ts';
import type { BindingsSource, CallDispatch } from './ports.ts';
import type { Ways } from './ways.ts';

export type LocatingContext = {
  readonly dispatch: CallDispatch;
  readonly bindings: BindingsSource;
  readonly ways: Ways;
};

/** What the processors said of a destination, and where it leads from here. */
export type Locating = { readonly decision: LocateDecision; readonly located: Located };

/** Asks whose a destination is, and plans the way there: to his devices, to the peers, or out by its route. */
export async function locateDestination(
  context: LocatingContext,
  destination: Destination,
  isFromPeer: boolean,
): Promise<Locating> {
  const decision = await context.dispatch.locate({ kind: 'locate', callee: destination.callee });
  return { decision, located: await wayTo(context, destination, decision, isFromPeer) };
}

async function wayTo(
  { bindings, ways }: LocatingContext,
  { callee, route, refusal }: Destination,
  decision: LocateDecision,
  isFromPeer: boolean,
): Promise<Located> {
  if (decision.kind === 'found') {
    const chains = planDevices(decision, bindings.of(decision.aor), ways.surroundings, isFromPeer);
    return { kind: 'devices', found: decision, chains };
  }
  if (decision.kind === 'refused') {
    const chain = isFromPeer ? undefined : ways.askPeers(callee);
    return chain ? { kind: 'outward', chain } : { kind: 'nowhere', refusal: decision };
  }
  if (!route) return { kind: 'nowhere', refusal };
  const chain = await ways.outward(route, numberOf(callee));
  return chain
    ? { kind: 'outward', chain }
    : { kind: 'nowhere', refusal: { kind: 'refused', status: 504, reason: 'No next hop serves' } };
}

/** Whom a next hop is asked for: the number, else the name that was dialled. */
function numberOf({ number, address }: Callee): string {
  return number ?? address?.slice(0, address.lastIndexOf('@')) ?? '';
}
