import type { Admitted, OriginateDecision } from '../../protocol/dispatch/call.ts';
import { formatChallenge } from '../../sip/auth/challenge.ts';
import type { MessageEdit } from '../../sip/message/edit.ts';
import type { Request } from '../../sip/message/message.ts';
import { parseDatagram } from '../../sip/message/parse.ts';
import { buildRefusal } from '../../sip/message/response.ts';
import { parseUri } from '../../sip/message/uri.ts';
import { forwardingFault } from '../../sip/proxy/admit.ts';
import type { RouteSet } from '../../sip/proxy/route.ts';
import type { Wakeup } from '../../sip/transaction/timer-wheel.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { admit } from '../calls/admission.ts';
import type { Admission } from '../calls/admission.ts';
import { withProvenIdentity, withoutIdentity } from '../calls/identity-headers.ts';
import type { Binding, Chain } from '../calls/target.ts';
import type { Incoming } from '../engine/engine.ts';
import { Timers } from '../engine/timers.ts';
import type { Transports } from '../transport/transports.ts';
import type { Attempt } from './attempt.ts';
import type { RunnerContext } from './call-runner.ts';
import type { CallRecords } from './call-records.ts';
import { Dialogs } from './dialogs.ts';
import { outgoingRequest } from './outgoing-request.ts';
import { originateFacts } from './request-facts.ts';
import { RunningCalls } from './running-calls.ts';

export type ProxyOptions = Omit<RunnerContext, 'timers'> & {
  readonly transports: Transports;
  readonly records: CallRecords;
  /** A message over this flow was shown to be genuine. */
  readonly prove: (flow: Flow) => void;
};

/** Extensions a Proxy-Require may ask for: none. */
const noExtensions: readonly string[] = [];

/**
 * The stateful proxy (RFC 3261 section 16): lets requests pass that may, and has each run until it is answered.
 *
 * Invariant: nothing is forwarded that is not of a proven caller, a configured neighbour, a peer, or a dialog of ours.
 */
export class Proxy implements Disposable {
  readonly #options: ProxyOptions;
  readonly #timers: Timers<Wakeup>;
  readonly #calls: RunningCalls;
  readonly #dialogs: Dialogs;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock, ({ wake }) => wake());
    this.#calls = new RunningCalls({ ...options, timers: this.#timers }, options.records);
    this.#dialogs = new Dialogs(options);
  }

  /** Requests that have no final answer yet. */
  get running(): number {
    return this.#calls.size;
  }

  onRequest(request: Request, transaction: Incoming, flow: Flow, cancels?: Incoming): void {
    const { own, engine } = this.#options;
    if (request.method === 'CANCEL') return this.#cancel(request, transaction, cancels);
    const isOwnVia = own.isOwnVia.bind(own);
    const fault = forwardingFault(request, { isOwnVia, extensions: noExtensions });
    if (fault) {
      return engine.respond(
        transaction,
        fault.status,
        buildRefusal(request, fault, { toTag: engine.newTag() }),
      );
    }
    const admission = this.#admit(request, flow);
    switch (admission.kind) {
      case 'refused':
        return this.#refuse(request, transaction, admission.refusal);
      case 'dialog':
        return void this.#inDialog(request, transaction, flow, admission);
      case 'edge':
        return this.#deliver(request, transaction, flow, admission);
      case 'callee':
        return this.#find(request, transaction, flow, admission);
      case 'new':
        return void this.#originate(request, transaction, flow, admission);
    }
  }

  /** An ACK for a 2xx goes where the requests of its dialog go; without a token of ours it goes nowhere. */
  onAck(request: Request, flow: Flow): void {
    const admission = this.#admit(request, flow);
    if (admission.kind === 'edge') {
      const { flow: edge } = admission;
      return this.#sendAck(request, flow, admission, undefined, [[{ kind: 'edge', flow: edge }]]);
    }
    if (admission.kind !== 'dialog') return;
    const isFromPeer = this.#peerAt(flow) !== undefined;
    void this.#dialogs
      .chainsTo(admission, isFromPeer)
      .then((chains) => this.#sendAck(request, flow, admission, admission.token, chains));
  }

  /** A device has registered, here or at a peer. */
  onRegistered(binding: Binding): void {
    this.#calls.registered(binding);
  }

  /** Nothing can be sent over a connection again. */
  onClosed({ connection }: Flow): void {
    this.#calls.lost(connection);
  }

  [Symbol.dispose](): void {
    this.#timers[Symbol.dispose]();
  }

  #admit(request: Request, flow: Flow): Admission {
    const { own, pair, clock } = this.#options;
    const isOwnRoute = own.isOwnRoute.bind(own);
    return admit(request, { isOwnRoute, keys: pair.keys, nowMs: clock.nowMs(), peer: this.#peerAt(flow) });
  }

  #peerAt(flow: Flow): string | undefined {
    return this.#options.transports.identity(flow)?.peer;
  }

  #cancel(request: Request, transaction: Incoming, cancels: Incoming | undefined): void {
    this.#options.engine.answer(request, transaction, cancels ? 200 : 481);
    cancels?.onCancel?.();
  }

  #refuse(
    request: Request,
    transaction: Incoming,
    { status, reason }: { readonly status: number; readonly reason: string },
  ): void {
    this.#options.engine.answer(request, transaction, status, { reason });
  }

  async #originate(request: Request, transaction: Incoming, flow: Flow, routeSet: RouteSet): Promise<void> {
    const { engine, dispatch, transports, own, prove } = this.#options;
    const isHere = own.isHere.bind(own);
    const certificateSha256 = transports.identity(flow)?.fingerprint;
    const facts = originateFacts(request, parseUri(routeSet.uri), { flow, isHere, certificateSha256 });
    if (!facts) return engine.answer(request, transaction, 404);
    const decision = await this.#calls.unlessCancelled(transaction, dispatch.originate(facts));
    if (!decision) return engine.answer(request, transaction, 487);
    if (decision.kind !== 'admitted') return this.#decline(request, transaction, decision);
    prove(flow);
    this.#calls.run(transaction, this.#admitted(request, flow, routeSet, decision));
  }

  #admitted(
    request: Request,
    flow: Flow,
    { uri, routes }: RouteSet,
    { owner, caller, destination }: Admitted,
  ): Attempt {
    return {
      request: asRequest(withProvenIdentity(request, caller)),
      received: request,
      flow,
      from: { kind: 'caller', caller, owner },
      routed: { uri, routes, isRouted: false },
      callerEnd: caller.kind === 'subscriber' ? this.#dialogs.endOf(caller.aor, flow) : null,
      token: undefined,
      aim: { kind: 'destination', destination },
    };
  }

  #decline(request: Request, transaction: Incoming, decision: Exclude<OriginateDecision, Admitted>): void {
    if (decision.kind === 'refused') return this.#refuse(request, transaction, decision);
    const challenge = decision.kind === 'challenge' ? decision : decision.challenge;
    if (!challenge) return this.#options.engine.answer(request, transaction, 403);
    const value = formatChallenge({ ...challenge, isStale: challenge.stale });
    this.#options.engine.answer(request, transaction, 407, { headers: [['Proxy-Authenticate', value]] });
  }

  /** A peer's front hands a request over for a flow; where that is a device's no longer, it has to try another. */
  #deliver(
    request: Request,
    transaction: Incoming,
    flow: Flow,
    { uri, routes, flow: edge }: Admission & { readonly kind: 'edge' },
  ): void {
    const token = this.#dialogs.tokenIn(request);
    if (token === undefined || !this.#dialogs.isLive(edge, token)) {
      return this.#refuse(request, transaction, { status: 430, reason: 'Flow Failed' });
    }
    this.#options.prove(flow);
    this.#calls.run(transaction, {
      request,
      received: request,
      flow,
      from: { kind: 'peer', name: this.#peerAt(flow) ?? '' },
      routed: { uri, routes, isRouted: true },
      callerEnd: null,
      token,
      aim: { kind: 'targets', chains: [[{ kind: 'edge', flow: edge }]] },
    });
  }

  /** A peer's front asks for a callee whom this site may know more of. */
  #find(
    request: Request,
    transaction: Incoming,
    flow: Flow,
    { uri, routes, callee }: Admission & { readonly kind: 'callee' },
  ): void {
    this.#options.prove(flow);
    const refusal = { kind: 'refused', status: 404, reason: 'Not Found' } as const;
    this.#calls.run(transaction, {
      request,
      received: request,
      flow,
      from: { kind: 'peer', name: this.#peerAt(flow) ?? '' },
      routed: { uri, routes, isRouted: false },
      callerEnd: null,
      token: undefined,
      aim: { kind: 'destination', destination: { callee, route: null, refusal, isEmergency: false } },
    });
  }

  async #inDialog(
    request: Request,
    transaction: Incoming,
    flow: Flow,
    admission: Admission & { readonly kind: 'dialog' },
  ): Promise<void> {
    const isFromPeer = this.#peerAt(flow) !== undefined;
    this.#options.prove(flow);
    const chains = await this.#dialogs.chainsTo(admission, isFromPeer);
    this.#calls.run(transaction, dialogAttempt(request, flow, admission, admission.token, chains));
  }

  #sendAck(
    request: Request,
    flow: Flow,
    routeSet: RouteSet,
    token: string | undefined,
    chains: readonly Chain[],
  ): void {
    const { engine, pair, own, clock, ways } = this.#options;
    for (const target of chains.flat()) {
      const to = target.kind === 'locate' ? undefined : ways.flowTo(target);
      if (!to || target.kind === 'locate') continue;
      const attempt = dialogAttempt(request, flow, routeSet, token, chains);
      const options = { pair, own, nowMs: clock.nowMs(), unique: engine.newTag() };
      return engine.sendAck(outgoingRequest(attempt, target, to, [], options).toBuffer(), to);
    }
  }
}

/** A request in a dialog: nobody has proven who sends it, and where it goes is known already. */
function dialogAttempt(
  request: Request,
  flow: Flow,
  { uri, routes }: RouteSet,
  token: string | undefined,
  chains: readonly Chain[],
): Attempt {
  return {
    request: asRequest(withoutIdentity(request)),
    received: request,
    flow,
    from: { kind: 'dialog' },
    routed: { uri, routes, isRouted: true },
    callerEnd: null,
    token,
    aim: { kind: 'targets', chains },
  };
}

function asRequest(edit: MessageEdit): Request {
  return parseDatagram(edit.toBuffer()) as Request;
}
