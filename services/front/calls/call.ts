import type { Destination } from '../../protocol/dispatch/call.ts';
import type { Refused } from '../../protocol/dispatch/common.ts';
import { isForkOver, startFork, stepFork } from '../../sip/proxy/fork.ts';
import type { Fork, ForkInput, ForkOutput } from '../../sip/proxy/fork-state.ts';
import { silenceMs } from './call-types.ts';
import type { CallInput, CallOutput, Located } from './call-types.ts';
import { asOneOfMany, isUnreached } from './attempt-status.ts';
import { finalAnswer } from './final-answer.ts';
import { forwardingsMax } from './history-info.ts';
import type { Forwarding, ForwardingReason } from './history-info.ts';
import { Party } from './party.ts';
import type { Chain, FlowTarget, PeerTarget, Target } from './target.ts';

/** A branch of the fork beside what the fork knows of it: what is tried after it, and for whom. */
type Attempt = {
  readonly target: Target;
  rest: readonly Target[];
  readonly party: Party;
  isSilenceTimed: boolean;
  /** It answered 503. */
  saidUnavailable: boolean;
};

/**
 * One request on its way to whoever is to get it: the targets of its parties, forwarding from one to the next, and the
 * fork that carries it all. Deterministic; it neither sends nor waits.
 *
 * Invariants: `fork` never comes to its end while somebody is left to be tried, because whoever is next is added before
 * the failure of the one before him is told. Bindings of one device are tried one after the other. No address of record
 * is called twice, and no request is forwarded more than `forwardingsMax` times.
 */
export class Call<R> {
  readonly #isInvite: boolean;
  readonly #attempts: Attempt[] = [];
  readonly #parties: Party[] = [];
  readonly #earlierForwardings: number;
  #fork: Fork<Attempt, R | undefined>;
  #outputs: CallOutput<R>[] = [];
  #refusal: Refused | undefined;

  constructor(isInvite: boolean, earlierForwardings = 0) {
    this.#isInvite = isInvite;
    this.#earlierForwardings = earlierForwardings;
    this.#fork = { isInvite, waiting: [], branches: [], isCancelled: false, isAnswered: false };
  }

  /** Nothing more comes but retransmitted 2xx. */
  get isOver(): boolean {
    return isForkOver(this.#fork);
  }

  get isAnswered(): boolean {
    return this.#fork.isAnswered;
  }

  /** Addresses of record whose devices the request was sent to. */
  get called(): readonly string[] {
    return this.#parties.flatMap(({ found }) => (found ? [found.aor] : []));
  }

  /** Begins with a destination that has to be looked up. */
  start(destination: Destination): CallOutput<R>[] {
    return this.#begin([[{ kind: 'locate', destination }]]);
  }

  /** Begins with known targets: a request in a dialog, or from a peer. */
  startWith(chains: readonly Chain[]): CallOutput<R>[] {
    return this.#begin(chains);
  }

  step(input: CallInput<R>): CallOutput<R>[] {
    this.#outputs = [];
    this.#take(input);
    return this.#outputs;
  }

  #begin(chains: readonly Chain[]): CallOutput<R>[] {
    this.#outputs = [];
    const party = this.#newParty([]);
    const heads = chains.map(([target, ...rest]) => attemptOf(target, rest, party));
    const { fork, outputs } = startFork<Attempt, R | undefined>([heads], this.#isInvite);
    this.#fork = fork;
    for (const output of outputs) this.#put(output);
    return this.#outputs;
  }

  #take(input: CallInput<R>): void {
    switch (input.kind) {
      case 'cancel':
        return this.#cancel();
      case 'registered':
        return this.#addRegistered(input.target);
      case 'not-answered':
        return this.#notAnswered(this.#parties[input.party]);
      default:
        return this.#takeOfBranch(input);
    }
  }

  #takeOfBranch(input: Exclude<CallInput<R>, { kind: 'cancel' | 'registered' | 'not-answered' }>): void {
    const { branch } = input;
    const attempt = this.#attempts[branch];
    if (!attempt) return;
    if (input.kind === 'located') return this.#located(branch, attempt, input.located);
    if (input.kind === 'timer') return this.#feed(input);
    this.#stopSilence(branch, attempt);
    if (input.kind === 'response' && input.status < 300) return this.#feed(input);
    const status = input.kind === 'response' ? input.status : undefined;
    attempt.saidUnavailable = status === 503;
    this.#goOn(branch, attempt, status);
    if (input.kind === 'silent') this.#feed({ kind: 'abandon', branch });
    else if (input.kind === 'unsendable') this.#feed({ kind: 'transport-error', branch });
    else if (input.kind === 'response')
      this.#feed({ ...input, status: asOneOfMany(input.status, attempt.party.isForwarded) });
    else this.#feed(input);
  }

  /** Before a branch's failure is told: whoever is next. */
  #goOn(branch: number, attempt: Attempt, status: number | undefined): void {
    if (this.#isDecided || this.#fork.branches[branch]?.result) return;
    const [next, ...rest] = attempt.rest;
    if (next && isUnreached(status, attempt.target)) {
      attempt.rest = [];
      return this.#add(attemptOf(next, rest, attempt.party));
    }
    attempt.party.failed(branch, status);
    const others = this.#open.filter(([id, other]) => id !== branch && other.party === attempt.party);
    if (others.length > 0) return;
    const reason = attempt.party.reason();
    if (reason) this.#forward(attempt.party, reason);
  }

  #located(branch: number, { party }: Attempt, located: Located): void {
    if (this.#isDecided) return this.#feed({ kind: 'timeout', branch });
    if (located.kind === 'nowhere') return this.#refuse(branch, located.refusal);
    if (located.kind === 'outward') {
      this.#addChain(located.chain, party);
      return this.#hold(branch);
    }
    const { found, chains } = located;
    if (this.called.includes(found.aor)) return this.#refuse(branch, loopDetected);
    party.found = found;
    if (found.forwarding.always) {
      if (!this.#forward(party, 'always')) return this.#refuse(branch, tooManyForwardings);
    } else if (chains.length === 0) {
      if (!this.#forward(party, 'unreachable')) return this.#refuse(branch, notRegistered);
    } else this.#ring(party, chains);
    this.#hold(branch);
  }

  #ring(party: Party, chains: readonly Chain[]): void {
    for (const chain of chains) this.#addChain(chain, party);
    const { noAnswer, noAnswerSeconds } = party.found?.forwarding ?? {};
    if (!noAnswer || !noAnswerSeconds || !this.#isInvite) return;
    this.#outputs.push({
      kind: 'set-no-answer',
      party: this.#parties.indexOf(party),
      ms: noAnswerSeconds * 1000,
    });
  }

  /** Sends the call on as the party wants; false where it does not, or where it went on too often. */
  #forward(party: Party, reason: ForwardingReason): boolean {
    const { found, forwardings } = party;
    const destination = found?.forwarding[reason];
    if (!found || !destination || party.isForwarded) return false;
    if (this.#earlierForwardings + forwardings.length >= forwardingsMax) return false;
    party.isForwarded = true;
    const to = destination.callee.number ?? destination.callee.address ?? '';
    const next = this.#newParty([...forwardings, { from: found.aor, to, reason }]);
    this.#add(attemptOf({ kind: 'locate', destination }, [], next));
    return true;
  }

  #notAnswered(party: Party | undefined): void {
    if (!party || this.#isDecided || !this.#forward(party, 'noAnswer')) return;
    for (const [branch, attempt] of this.#open) {
      if (attempt.party !== party) continue;
      attempt.rest = [];
      this.#feed({ kind: 'abandon', branch });
    }
  }

  #addRegistered(target: FlowTarget | PeerTarget): void {
    const { binding } = target;
    const party = this.#parties.find(({ found, isForwarded }) => found?.aor === binding?.aor && !isForwarded);
    if (!party || !binding || this.#isDecided) return;
    const isTried = this.#open.some(([, attempt]) => deviceOf(attempt.target) === binding.device);
    if (!isTried) this.#add(attemptOf(target, [], party));
  }

  #cancel(): void {
    const isOpen = !this.#fork.isAnswered;
    this.#feed({ kind: 'cancel' });
    if (!isOpen) return;
    for (const [branch, { target }] of this.#open) {
      if (target.kind === 'locate') this.#feed({ kind: 'timeout', branch });
    }
  }

  /** The branch that stood for a destination has done so; it counts for nothing beside what it led to. */
  #hold(branch: number): void {
    this.#feed({ kind: 'transport-error', branch });
  }

  #refuse(branch: number, refusal: Refused): void {
    this.#refusal = refusal;
    this.#feed({ kind: 'response', branch, status: refusal.status, response: undefined });
  }

  #addChain([target, ...rest]: Chain, party: Party): void {
    this.#add(attemptOf(target, rest, party));
  }

  #add(attempt: Attempt): void {
    this.#feed({ kind: 'add', target: attempt });
  }

  #feed(input: ForkInput<Attempt, R | undefined>): void {
    const { fork, outputs } = stepFork(this.#fork, input);
    this.#fork = fork;
    for (const output of outputs) this.#put(output);
  }

  #put(output: ForkOutput<Attempt, R | undefined>): void {
    switch (output.kind) {
      case 'forward':
        return this.#launch(output.branch, output.target);
      case 'relay':
        if (output.response !== undefined) {
          this.#outputs.push({ kind: 'relay', branch: output.branch, response: output.response });
        }
        return;
      case 'answer':
        return void this.#outputs.push(finalAnswer(output, this.#refusal, this.#attempts));
      case 'cancel':
      case 'quieten':
        return void (this.#attempts[output.branch]?.target.kind !== 'locate' && this.#outputs.push(output));
      default:
        if (this.#attempts[output.branch]?.target.kind !== 'locate') {
          this.#outputs.push({ ...output, timer: 'fork' });
        }
    }
  }

  #launch(branch: number, attempt: Attempt): void {
    const { target, party, rest } = attempt;
    this.#attempts[branch] = attempt;
    if (target.kind === 'locate') {
      return void this.#outputs.push({ kind: 'locate', branch, destination: target.destination });
    }
    this.#outputs.push({ kind: 'forward', branch, target, forwardings: party.forwardings });
    if (!this.#isInvite || (target.kind === 'flow' && rest.length === 0)) return;
    attempt.isSilenceTimed = true;
    this.#outputs.push({ kind: 'set-timer', branch, timer: 'silence', ms: silenceMs });
  }

  #stopSilence(branch: number, attempt: Attempt): void {
    if (!attempt.isSilenceTimed) return;
    attempt.isSilenceTimed = false;
    this.#outputs.push({ kind: 'clear-timer', branch, timer: 'silence' });
  }

  #newParty(forwardings: readonly Forwarding[]): Party {
    const party = new Party(forwardings);
    this.#parties.push(party);
    return party;
  }

  get #isDecided(): boolean {
    return this.#fork.isAnswered || this.#fork.isCancelled;
  }

  /** Branches that have not come to a result. */
  get #open(): (readonly [number, Attempt])[] {
    return this.#attempts.flatMap((attempt, branch) =>
      this.#fork.branches[branch]?.result ? [] : [[branch, attempt] as const],
    );
  }
}

const loopDetected: Refused = { kind: 'refused', status: 482, reason: 'Loop Detected' };
const tooManyForwardings: Refused = { kind: 'refused', status: 480, reason: 'Forwarded too often' };
const notRegistered: Refused = { kind: 'refused', status: 480, reason: 'No device is registered' };

function attemptOf(target: Target, rest: readonly Target[], party: Party): Attempt {
  return { target, rest, party, isSilenceTimed: false, saidUnavailable: false };
}

function deviceOf(target: Target): string | undefined {
  return target.kind === 'flow' || target.kind === 'peer' ? target.binding?.device : undefined;
}
