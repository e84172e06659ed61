import type { Admitted, Destination, OriginateDecision } from '../../protocol/dispatch/call.ts';
import type { CallExplanation, CallTarget } from '../../protocol/rest/dispatch.ts';
import { reasonPhrase } from '../../sip/message/status.ts';
import { targetInWords, targetViews } from '../calls/call-in-words.ts';
import type { Viewpoint } from '../calls/call-in-words.ts';
import { Call } from '../calls/call.ts';
import type { CallOutput, Located } from '../calls/call-types.ts';
import type { Chain } from '../calls/target.ts';
import { locateDestination } from './locating.ts';
import type { Locating, LocatingContext } from './locating.ts';
import type { OwnAddresses } from './own-addresses.ts';
import { rehearsalFacts } from './request-facts.ts';
import type { HopState } from './ways.ts';

export type RehearsalContext = LocatingContext &
  Pick<Viewpoint, 'unknownSince'> & { readonly own: OwnAddresses };

/**
 * Says what would become of a call. It is decided, located and planned as a real one is, by the same code.
 *
 * Invariant: nothing is sent to a device or to a next hop but the probes that calls cause too.
 */
export class CallRehearsal {
  readonly #context: RehearsalContext;

  constructor(context: RehearsalContext) {
    this.#context = context;
  }

  async explain(from: string, called: string): Promise<CallExplanation> {
    const { own, dispatch } = this.#context;
    const facts = rehearsalFacts(from, called, own.isHere.bind(own));
    if (!facts) return refused([`${from} or ${called} names nobody`], 404);
    const decision = await dispatch.originate(facts);
    return decision.kind === 'admitted' ? this.#follow(decision) : declined(from, decision);
  }

  async #follow({ owner, steps: decided, destination }: Admitted): Promise<CallExplanation> {
    const steps = [`the processor of ${owner} decides about the caller`, ...decided];
    const targets: CallTarget[] = [];
    const call = new Call<never>(true);
    let outputs = call.start(destination);
    for (let next = locateIn(outputs); next; next = locateIn(outputs)) {
      if (next.destination !== destination) steps.push(`the call goes on to ${calleeOf(next.destination)}`);
      const locating = await locateDestination(this.#context, next.destination, false);
      outputs = call.step({ kind: 'located', branch: next.branch, located: locating.located });
      const sent = targetViews(sentOf(locating.located, outputs), this.#viewpoint);
      targets.push(...sent);
      steps.push(...this.#inWords(next.destination, locating));
      steps.push(...sent.map((target) => targetInWords(target, this.#viewpoint.site)));
    }
    const answer = outputs.find((output) => output.kind === 'answer');
    return answer ? refused(steps, answer.status, answer.reason) : { steps, targets, refusal: null };
  }

  get #viewpoint(): Viewpoint {
    const { ways, unknownSince } = this.#context;
    return { site: ways.surroundings.site, unknownSince };
  }

  #inWords(destination: Destination, { decision, located }: Locating): string[] {
    const callee = calleeOf(destination);
    switch (decision.kind) {
      case 'found':
        return [
          `the processor of ${decision.owner} knows the callee`,
          ...decision.steps,
          ...(decision.forwarding.always ? [] : this.#withoutWay(decision.aor, located)),
        ];
      case 'refused':
        return [`a processor that may know ${callee} does not say: ${decision.status} ${decision.reason}`];
      case 'not-mine':
        return [`no processor here knows ${callee}`, ...this.#hopsInWords(destination)];
    }
  }

  /** Devices that are registered and not tried. */
  #withoutWay(aor: string, located: Located): string[] {
    const chains = located.kind === 'devices' ? located.chains : [];
    const tried = new Set(
      chains.flat().map((target) => ('binding' in target ? target.binding?.edge : undefined)),
    );
    const bindings = this.#context.bindings.of(aor);
    if (bindings.length === 0) return ['no device is known to be registered'];
    return bindings
      .filter(({ edge }) => !tried.has(edge))
      .map(({ device, site }) => `device ${device} is left out: the front of ${site} does not answer`);
  }

  #hopsInWords({ route }: Destination): string[] {
    if (!route) return [];
    return this.#context.ways
      .hopsOf(route)
      .map(({ uri, state }, i) => `next hop ${i + 1} of route ${route.prefix}, ${uri}, ${hopStates[state]}`);
  }
}

const hopStates: Readonly<Record<HopState, string>> = {
  'not-probed': 'is not probed: it is tried',
  'not-yet-known': 'has not been probed yet: it is tried',
  serving: 'answers probes',
  silent: 'does not answer probes, and is left out',
};

const locateIn = (outputs: readonly CallOutput<never>[]) =>
  outputs.find((output) => output.kind === 'locate');

/** The chains of a located destination that the call was sent along. */
function sentOf(located: Located, outputs: readonly CallOutput<never>[]): readonly Chain[] {
  if (located.kind === 'nowhere') return [];
  const sent = new Set(outputs.map((output) => (output.kind === 'forward' ? output.target : undefined)));
  const chains = located.kind === 'devices' ? located.chains : [located.chain];
  return chains.filter(([first]) => first.kind !== 'locate' && sent.has(first));
}

function calleeOf({ callee: { number, address } }: Destination): string {
  return number ?? address ?? 'nobody';
}

function declined(from: string, decision: Exclude<OriginateDecision, Admitted>): CallExplanation {
  if (decision.kind === 'refused') return refused([`${from} may not call`], decision.status, decision.reason);
  return refused([`no processor here knows ${from} as its subscriber`], 403);
}

function refused(steps: readonly string[], status: number, reason = reasonPhrase(status)): CallExplanation {
  return {
    steps: [...steps, `the caller is told ${status} ${reason}`],
    targets: [],
    refusal: { status, reason },
  };
}
