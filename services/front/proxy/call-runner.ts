import type { Destination, Found } from '../../protocol/dispatch/call.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import { parseDatagram } from '../../sip/message/parse.ts';
import type { Request, Response } from '../../sip/message/message.ts';
import { buildCancel } from '../../sip/message/request.ts';
import { forwardResponse } from '../../sip/proxy/forward.ts';
import { Wakeup } from '../../sip/transaction/timer-wheel.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { Call } from '../calls/call.ts';
import type { CallInput, CallOutput } from '../calls/call-types.ts';
import { earlierForwardings } from '../calls/history-info.ts';
import type { Forwarding } from '../calls/history-info.ts';
import { targetOf } from '../calls/plan.ts';
import type { Binding, SendTarget } from '../calls/target.ts';
import type { Engine, Incoming, Outgoing, ResponseUser } from '../engine/engine.ts';
import type { Timers } from '../engine/timers.ts';
import type { Attempt } from './attempt.ts';
import { locateDestination } from './locating.ts';
import type { LocatingContext } from './locating.ts';
import { outgoingRequest } from './outgoing-request.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { Pair } from './ports.ts';

export type RunnerContext = LocatingContext & {
  readonly engine: Engine;
  readonly timers: Timers<Wakeup>;
  readonly own: OwnAddresses;
  readonly pair: Pair;
  readonly clock: Clock;
};

/** What is told of a call while it runs. */
export type CallObserver = {
  readonly onSent: (target: SendTarget) => void;
  readonly onProvisional: (status: number) => void;
  readonly onFound: (found: Found) => void;
  /** The final response that went upstream; of an INVITE's several 2xx the first. */
  readonly onFinal: (status: number, reason: string | undefined) => void;
};

type Sent = {
  readonly request: Request;
  readonly flow: Flow;
  readonly target: SendTarget;
  transaction?: Outgoing;
};

/**
 * Runs one call (or other request) on the engine: asks, sends, waits and answers as `Call` says.
 *
 * Invariants: its inputs are worked off one after the other, in the order in which they came. Its transaction is
 * answered once, further 2xx to INVITE aside. When it is over every timer it set is cleared, no response waited for,
 * and nothing holds it any longer.
 */
export class CallRunner {
  readonly #context: RunnerContext;
  readonly #attempt: Attempt;
  readonly #transaction: Incoming;
  readonly #observer: CallObserver;
  readonly #call: Call<Response>;
  readonly #sent = new Map<number, Sent>();
  readonly #timers = new Map<string, Wakeup>();
  readonly #inputs: CallInput<Response>[] = [];
  #isStepping = false;
  #isCancelled = false;
  #isAnswered = false;
  #lastFound: Found | undefined;

  constructor(context: RunnerContext, attempt: Attempt, transaction: Incoming, observer: CallObserver) {
    [this.#context, this.#attempt] = [context, attempt];
    [this.#transaction, this.#observer] = [transaction, observer];
    this.#call = new Call(attempt.request.method === 'INVITE', earlierForwardings(attempt.request));
  }

  get isOver(): boolean {
    return this.#call.isOver;
  }

  start(): void {
    const { aim } = this.#attempt;
    const outputs =
      aim.kind === 'targets' ? this.#call.startWith(aim.chains) : this.#call.start(aim.destination);
    this.#isStepping = true;
    this.#perform(outputs);
    this.#isStepping = false;
    this.#workOff();
  }

  /** CANCEL came. */
  cancel(): void {
    this.#isCancelled = true;
    this.#feed({ kind: 'cancel' });
  }

  /** A device has registered that this call may be for. */
  registered(binding: Binding): void {
    if (this.isOver || !this.#call.called.includes(binding.aor)) return;
    const target = targetOf(binding, this.#context.ways.surroundings, this.#isFromPeer);
    if (target) this.#feed({ kind: 'registered', target });
  }

  get #isFromPeer(): boolean {
    return this.#attempt.from.kind === 'peer';
  }

  #feed(input: CallInput<Response>): void {
    this.#inputs.push(input);
    this.#workOff();
  }

  #workOff(): void {
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let input = this.#inputs.shift(); input; input = this.#inputs.shift()) {
      this.#perform(this.#call.step(input));
    }
    this.#isStepping = false;
    if (this.isOver) this.#end();
  }

  #perform(outputs: readonly CallOutput<Response>[]): void {
    for (const output of outputs) this.#do(output);
  }

  #do(output: CallOutput<Response>): void {
    switch (output.kind) {
      case 'forward':
        return this.#forward(output.branch, output.target, output.forwardings);
      case 'locate':
        return void this.#locate(output.branch, output.destination);
      case 'cancel':
        return this.#cancelBranch(output.branch);
      case 'quieten':
        return this.#quieten(output.branch);
      case 'relay':
        return this.#relay(output.response);
      case 'answer':
        return this.#answer(output);
      case 'set-timer': {
        const { branch, timer, ms } = output;
        return this.#setTimer(`${timer} ${branch}`, ms, {
          kind: timer === 'fork' ? 'timer' : 'silent',
          branch,
        });
      }
      case 'clear-timer':
        return this.#clearTimer(`${output.timer} ${output.branch}`);
      case 'set-no-answer':
        return this.#setTimer(`party ${output.party}`, output.ms, {
          kind: 'not-answered',
          party: output.party,
        });
    }
  }

  #forward(branch: number, target: SendTarget, forwardings: readonly Forwarding[]): void {
    if (this.#isCancelled) return this.#feed({ kind: 'timeout', branch });
    const { engine, own, pair, ways, clock } = this.#context;
    const flow = ways.flowTo(target);
    if (!flow) return this.#feed({ kind: 'unsendable', branch });
    const options = { pair, own, nowMs: clock.nowMs(), unique: engine.newTag() };
    const request = outgoingRequest(this.#attempt, target, flow, forwardings, options);
    const sent: Sent = { request, flow, target };
    this.#sent.set(branch, sent);
    this.#observer.onSent(target);
    sent.transaction = engine.send(request, flow, this.#responseUser(branch, target));
  }

  #responseUser(branch: number, target: SendTarget): ResponseUser {
    return {
      onResponse: (response) => this.#feed({ kind: 'response', branch, status: response.status, response }),
      onTimeout: () => this.#lost(branch, target, 'timeout'),
      onUnsendable: () => this.#lost(branch, target, 'unsendable'),
    };
  }

  #lost(branch: number, target: SendTarget, kind: 'timeout' | 'unsendable'): void {
    this.#context.ways.suspect(target);
    this.#feed({ kind, branch });
  }

  async #locate(branch: number, destination: Destination): Promise<void> {
    const { decision, located } = await locateDestination(this.#context, destination, this.#isFromPeer);
    if (decision.kind === 'found') {
      this.#lastFound = decision;
      this.#observer.onFound(decision);
    }
    this.#feed({ kind: 'located', branch, located });
  }

  #cancelBranch(branch: number): void {
    const sent = this.#sent.get(branch);
    if (!sent) return;
    const cancel = parseDatagram(buildCancel(sent.request)) as Request;
    this.#context.engine.send(cancel, sent.flow, unheeded);
  }

  #quieten(branch: number): void {
    const transaction = this.#sent.get(branch)?.transaction;
    if (transaction) this.#context.engine.quieten(transaction);
  }

  #relay(response: Response): void {
    const forwarded = forwardResponse(response);
    if (!forwarded) return;
    if (response.status < 200) this.#observer.onProvisional(response.status);
    else this.#ended(response.status, undefined);
    this.#context.engine.respond(this.#transaction, response.status, forwarded.bytes);
  }

  #answer({ status, reason, response, challenges }: CallOutput<Response> & { kind: 'answer' }): void {
    const forwarded = response && forwardResponse(response, challenges);
    const { engine } = this.#context;
    if (forwarded) {
      this.#ended(status, undefined);
      return engine.respond(this.#transaction, status, forwarded.bytes);
    }
    const told = this.#told(status);
    this.#ended(told, reason);
    engine.answer(this.#attempt.received, this.#transaction, told, told === status ? { reason } : {});
  }

  /**
   * A final status of our own making, as this caller is to hear it: 430 to a peer whose flow was dead (RFC 5626 section
   * 5.3), 503 without Retry-After to a third party when the callee's site is out of reach, so that it takes its next route.
   */
  #told(status: number): number {
    const { from, aim } = this.#attempt;
    const isUnreached = [480, 500, 504].includes(status);
    if (!isUnreached) return status;
    if (from.kind === 'peer' && aim.kind === 'targets') return 430;
    const isThirdParty = from.kind === 'caller' && from.caller.kind === 'third-party';
    return isThirdParty && this.#isHomeOutOfReach() ? 503 : status;
  }

  #isHomeOutOfReach(): boolean {
    const { site, isLinkUp, isPeerAlive } = this.#context.ways.surroundings;
    const home = this.#lastFound?.homeSite ?? site;
    return home !== site && (!isLinkUp(home) || !isPeerAlive(home));
  }

  #ended(status: number, reason: string | undefined): void {
    if (!this.#isAnswered) this.#observer.onFinal(status, reason);
    this.#isAnswered = true;
  }

  #setTimer(name: string, ms: number, input: CallInput<Response>): void {
    const timer = this.#timers.get(name) ?? new Wakeup(() => this.#fire(name, input));
    this.#timers.set(name, timer);
    this.#context.timers.set(timer, ms);
  }

  #fire(name: string, input: CallInput<Response>): void {
    this.#timers.delete(name);
    const sent = input.kind === 'silent' ? this.#sent.get(input.branch) : undefined;
    if (sent) this.#context.ways.suspect(sent.target);
    this.#feed(input);
  }

  #clearTimer(name: string): void {
    const timer = this.#timers.get(name);
    if (timer) this.#context.timers.clear(timer);
    this.#timers.delete(name);
  }

  #end(): void {
    for (const name of this.#timers.keys()) this.#clearTimer(name);
    const { engine } = this.#context;
    for (const { transaction } of this.#sent.values()) {
      if (!transaction) continue;
      engine.abandon(transaction);
      engine.hand(transaction, lateAnswers(engine, this.#transaction));
    }
    this.#sent.clear();
  }
}

/**
 * All that is left when a call is over: each further 2xx goes upstream (RFC 3261 section 16.7 step 5). It takes the
 * place of the runner, which would be held with all its messages while the transaction waits for them.
 */
function lateAnswers(engine: Engine, transaction: Incoming): ResponseUser {
  return {
    ...unheeded,
    onResponse: (response) => {
      const forwarded = forwardResponse(response);
      if (forwarded) engine.respond(transaction, response.status, forwarded.bytes);
    },
  };
}

const unheeded: ResponseUser = {
  onResponse: () => undefined,
  onTimeout: () => undefined,
  onUnsendable: () => undefined,
};
