import type { Party, Sender } from '../../protocol/dispatch/common.ts';
import type { Decision, Facts } from '../../protocol/dispatch/messages.ts';
import type { ProcessorClient } from './processor-client.ts';
import type { DispatchRule } from '../../model/dispatch-rule.ts';
import { ruleFor } from './rules.ts';

/** What came of asking: a decision with the processor it is of; nobody's; or 503, where who might know does not say. */
export type Outcome =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly owner: string }
  | { readonly kind: 'unknown'; readonly decision: Decision & { kind: 'not-mine' } }
  | { readonly kind: 'unavailable' };

/** How it is decided which processor is asked first. */
export type Basis = 'rule' | 'flows' | 'cache' | 'order';

export type DispatcherOptions = {
  /** In the order in which they are asked: home first. */
  readonly processors: readonly ProcessorClient[];
  readonly rules: () => readonly DispatchRule[];
  /** The owner recorded with the flows of an address of record. */
  readonly ownerOf: (aor: string) => string | undefined;
};

/** How long one processor is waited for before the next is asked beside it: the death of one must not delay the other's. */
const hedgeMs = 250;

const cachedMax = 200_000;

/**
 * The dispatch table: which processor decides about an address `user@host`.
 *
 * Invariants: an operator's rule comes first, then the owner recorded with flows, then what was learned by asking, then
 * the order of the processors. What was learned is forgotten when a processor's configuration moves.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #learned = new Map<string, ProcessorClient>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** What was learned from answers is void. */
  forget(): void {
    this.#learned.clear();
  }

  /** Asks whose the address is until one says it is his. */
  async ask(address: string, facts: Facts): Promise<Outcome> {
    const { processors, basis } = this.order(address);
    if (basis !== 'order' && processors[0] && this.#isDrained(address, processors[0])) return unavailable;
    const outcome = await askInTurn(processors, facts);
    if (outcome.kind !== 'decided') return outcome;
    this.#learn(address, outcome.processor);
    if (this.#isDrained(address, outcome.processor)) return unavailable;
    return { kind: 'decided', decision: outcome.decision, owner: outcome.processor.config.owner };
  }

  /**
   * Whether devices of the address are served: what their handshake is answered by (M11). A third-party site, which may
   * write any name, is home's, whatever the others cannot say about that name.
   */
  async isServed(party: Party, sender: Sender): Promise<boolean> {
    const address = `${party.user}@${party.host}`;
    const { processors, basis } = this.order(address);
    const [first] = processors;
    if (basis !== 'order' && first) return first.isServing && !this.#isDrained(address, first);
    const outcome = await this.ask(address, asking(party));
    if (outcome.kind === 'decided') return this.#learned.get(address)?.isServing === true;
    if (outcome.kind === 'unknown') return this.isHomeServing;
    return (
      this.isHomeServing && (await this.#home?.ask({ kind: 'neighbour', ...sender }))?.kind === 'neighbour'
    );
  }

  get isHomeServing(): boolean {
    return this.#home?.isServing === true;
  }

  /** The owner whose processor says that this is one of its subscribers; undefined where none does. */
  async claimantOf(party: Party): Promise<string | undefined> {
    const { processors } = this.order(`${party.user}@${party.host}`);
    const outcome = await askInTurn(processors, asking(party));
    return outcome.kind === 'decided' ? outcome.processor.config.owner : undefined;
  }

  /** The processor of this site's own subscribers. */
  get #home(): ProcessorClient | undefined {
    return this.#options.processors.find(({ config }) => config.role === 'home');
  }

  get processors(): readonly ProcessorClient[] {
    return this.#options.processors;
  }

  /** Which processors are asked about an address, in which order, and why; `rule` where one decides. */
  order(address: string): {
    readonly processors: readonly ProcessorClient[];
    readonly basis: Basis;
    readonly rule?: DispatchRule | undefined;
  } {
    const { processors, rules, ownerOf } = this.#options;
    const rule = ruleFor(rules(), 'pin', address);
    const pinned = rule && processors.find((processor) => isNamed(processor, rule.processor));
    if (pinned) return { processors: [pinned], basis: 'rule', rule };
    const owner = ownerOf(address);
    const byFlows = owner === undefined ? undefined : processors.find(({ config }) => config.owner === owner);
    const first = byFlows ?? this.#learned.get(address);
    if (!first) return { processors, basis: 'order' };
    const others = processors.filter((processor) => processor !== first);
    return { processors: [first, ...others], basis: byFlows ? 'flows' : 'cache' };
  }

  /** The rule that drains the processor for this address, where there is one. */
  drainOf(address: string, processor: ProcessorClient): DispatchRule | undefined {
    const drains = this.#options.rules().filter((rule) => isNamed(processor, rule.processor));
    return ruleFor(drains, 'drain', address);
  }

  #isDrained(address: string, processor: ProcessorClient): boolean {
    return this.#options.rules().length > 0 && this.drainOf(address, processor) !== undefined;
  }

  #learn(address: string, processor: ProcessorClient): void {
    if (this.#learned.get(address) === processor) return;
    if (this.#learned.size >= cachedMax) this.#learned.clear();
    this.#learned.set(address, processor);
  }
}

/** Who it is, without a word on who says so. */
const asking = (party: Party): Facts => ({
  kind: 'register',
  party,
  credentials: null,
  source: { transport: 'udp', address: '', port: 0 },
  instance: null,
  contactHost: null,
});

const unavailable = { kind: 'unavailable' } as const;

const isNamed = ({ config }: ProcessorClient, name: string): boolean =>
  name === 'home' ? config.role === 'home' : config.owner === name;

type Asked =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly processor: ProcessorClient }
  | Exclude<Outcome, { kind: 'decided' }>;

/** The first decision that is not "not mine". Who is silent for a moment is not waited for: the next is asked too. */
async function askInTurn(processors: readonly ProcessorClient[], facts: Facts): Promise<Asked> {
  const answers: Promise<Asked>[] = [];
  for (const [i, processor] of processors.entries()) {
    const answer = askOne(processor, facts);
    answers.push(answer);
    const isLast = i === processors.length - 1;
    const first = isLast ? undefined : await settledSoon(answer);
    if (first?.kind === 'decided') return first;
  }
  return await firstDecided(answers);
}

/** A processor that is not ready says 503, which decides nothing about whose the address is. */
async function askOne(processor: ProcessorClient, facts: Facts): Promise<Asked> {
  const decision = await processor.ask(facts);
  if (!decision || (decision.kind === 'refused' && decision.status === 503)) return unavailable;
  return decision.kind === 'not-mine'
    ? { kind: 'unknown', decision }
    : { kind: 'decided', decision, processor };
}

/** What it is, if it is known within `hedgeMs`. */
async function settledSoon(answer: Promise<Asked>): Promise<Asked | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), hedgeMs);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The first decision; without one, "unavailable" if anybody was, else nobody's, with a challenge if anybody had one. */
async function firstDecided(answers: readonly Promise<Asked>[]): Promise<Asked> {
  const decided = Promise.any(
    answers.map(async (answer) => {
      const each = await answer;
      if (each.kind !== 'decided') throw new Error(each.kind);
      return each;
    }),
  );
  return await decided.catch(async () => {
    const all = await Promise.all(answers);
    const open = all.filter((each) => each.kind !== 'decided');
    const challenged = open.find((each) => each.kind === 'unknown' && each.decision.challenge !== null);
    return open.find(({ kind }) => kind === 'unavailable') ?? challenged ?? open[0] ?? unavailable;
  });
}
