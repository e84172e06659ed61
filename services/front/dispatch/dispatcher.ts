import type { Party, Sender } from '../../protocol/dispatch/common.ts';
import type { Decision, Facts } from '../../protocol/dispatch/messages.ts';
import type { DispatchRule } from '../../model/dispatch-rule.ts';
import { askInTurn, unavailable } from './ask-in-turn.ts';
import type { Turn } from './ask-in-turn.ts';
import type { ProcessorClient } from './processor-client.ts';
import { ruleFor } from './rules.ts';

/** What came of asking, with the site whose processor decided. */
export type Outcome =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly owner: string }
  | Exclude<Turn<ProcessorClient>, { kind: 'decided' }>;

/** How it is decided which processor is asked first. */
export type Basis = 'rule' | 'flows' | 'cache' | 'order';

export type DispatcherOptions = {
  /** In the order in which they are asked: home first. */
  readonly processors: readonly ProcessorClient[];
  readonly rules: () => readonly DispatchRule[];
  /** The owner recorded with the flows of an address of record. */
  readonly ownerOf: (aor: string) => string | undefined;
};

/** Of whom a flow is recorded, the owner is known by it: this is for the others, and costs one question more where it is not. */
const cachedMax = 20_000;

/**
 * The dispatch table: which processor decides about an address `user@host`.
 *
 * Invariants: an operator's rule comes first, then the owner recorded with flows, then what was learned by asking, then
 * the order of the processors. What was learned is forgotten when a processor's configuration moves.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #learned = new Map<string, ProcessorClient>();
  /** The processors in their order, but for the one that comes first. */
  readonly #beginningWith: ReadonlyMap<ProcessorClient, readonly ProcessorClient[]>;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { processors } = options;
    this.#beginningWith = new Map(
      processors.map((first) => [first, [first, ...processors.filter((each) => each !== first)]]),
    );
  }

  /** What was learned from answers is void. */
  forget(): void {
    this.#learned.clear();
  }

  /** Asks whose the address is until one says it is his. */
  async ask(address: string, facts: Facts): Promise<Outcome> {
    const { processors, basis } = this.order(address);
    const [first] = processors;
    if (basis !== 'order' && first && this.#isDrained(address, first)) return unavailable;
    const turn = await askInTurn(processors, facts);
    if (turn.kind !== 'decided') return turn;
    const { decision, by } = turn;
    if (basis === 'order' || by !== first) this.#learn(address, by);
    return this.#isDrained(address, by) ? unavailable : { kind: 'decided', decision, owner: by.config.owner };
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
    if (outcome.kind === 'decided') return this.#of(outcome.owner)?.isServing === true;
    if (outcome.kind === 'unknown') return this.isHomeServing;
    return this.isHomeServing && (await this.#isNeighbour(sender));
  }

  /** What the home processor says, unless it was `decidedBy` already or keeps waiting: others' devices never wait for it. */
  askHomeToo(facts: Facts, decidedBy: string): Promise<Decision | undefined> {
    const home = this.#home;
    if (!home || home.config.owner === decidedBy) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Decision | undefined>();
    home.ask(facts, { decide: resolve, late: () => resolve(undefined) });
    return promise;
  }

  get isHomeServing(): boolean {
    return this.#home?.isServing === true;
  }

  /** The owner whose processor says that this is one of its subscribers; undefined where none does. */
  async claimantOf(party: Party): Promise<string | undefined> {
    const { processors } = this.order(`${party.user}@${party.host}`);
    const turn = await askInTurn(processors, asking(party));
    return turn.kind === 'decided' ? turn.by.config.owner : undefined;
  }

  async #isNeighbour(sender: Sender): Promise<boolean> {
    const turn = await askInTurn(this.#home ? [this.#home] : [], { kind: 'neighbour', ...sender });
    return turn.kind === 'decided' && turn.decision.kind === 'neighbour';
  }

  #of(owner: string): ProcessorClient | undefined {
    return this.#options.processors.find(({ config }) => config.owner === owner);
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
    const byFlows = owner === undefined ? undefined : this.#of(owner);
    const first = byFlows ?? this.#learned.get(address);
    if (!first) return { processors, basis: 'order' };
    return { processors: this.#beginningWith.get(first) ?? [], basis: byFlows ? 'flows' : 'cache' };
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

const isNamed = ({ config }: ProcessorClient, name: string): boolean =>
  name === 'home' ? config.role === 'home' : config.owner === name;
