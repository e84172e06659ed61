import type { LocateDecision, OriginateDecision } from '../../protocol/dispatch/call.ts';
import type { Refused } from '../../protocol/dispatch/common.ts';
import type { Dispatcher, Outcome } from '../dispatch/dispatcher.ts';
import type { CallDispatch } from './ports.ts';

/** A processor that might know does not say. Without Retry-After: devices and neighbours take their other site. */
const unavailable: Refused = { kind: 'refused', status: 503, reason: 'Service Unavailable' };

/** Questions about calls, to the right processor by the dispatch table. */
export function createCallDispatch(dispatcher: Pick<Dispatcher, 'ask' | 'askHomeToo'>): CallDispatch {
  return {
    originate: async (facts) => {
      const { from, credentials } = facts;
      const outcome = await dispatcher.ask(`${from.user}@${from.host}`, facts);
      const decision = originateDecision(decisionOf(outcome));
      if (outcome.kind !== 'decided' || decision.kind !== 'challenge' || credentials) return decision;
      // The processor of a peer's subscriber knows that site's third parties; those of this site home's knows.
      const atHome = await dispatcher.askHomeToo(facts, outcome.owner);
      return atHome?.kind === 'admitted' && atHome.caller.kind === 'third-party' ? atHome : decision;
    },
    locate: async (facts) => {
      const { address, number } = facts.callee;
      return locateDecision(decisionOf(await dispatcher.ask(address ?? number ?? '', facts)));
    },
  };
}

function decisionOf(outcome: Outcome) {
  return outcome.kind === 'unavailable' ? unavailable : outcome.decision;
}

function originateDecision(decision: ReturnType<typeof decisionOf>): OriginateDecision {
  const { kind } = decision;
  return kind === 'granted' || kind === 'found' || kind === 'neighbour' ? unavailable : decision;
}

function locateDecision(decision: ReturnType<typeof decisionOf>): LocateDecision {
  const { kind } = decision;
  const isAmiss = kind === 'granted' || kind === 'admitted' || kind === 'challenge' || kind === 'neighbour';
  return isAmiss ? unavailable : decision;
}
