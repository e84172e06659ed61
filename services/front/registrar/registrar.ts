import { messageOf } from '../../protocol/errors/index.ts';
import { sourceText } from '../../protocol/dispatch/common.ts';
import type { Granted, RegisterFacts } from '../../protocol/dispatch/register.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Refusal } from '../../sip/message/limits.ts';
import type { Request } from '../../sip/message/message.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';
import { encodeFlowToken } from '../../sip/transport/flow-token.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { credentialFacts, sourceOf } from '../dispatch/facts.ts';
import type { Distribution } from '../distribution/distribution.ts';
import type { RegistrationLog } from '../distribution/registration-log.ts';
import type { Engine, Incoming } from '../engine/engine.ts';
import type { SourceLimits } from '../transport/source-limits.ts';
import type { Transports } from '../transport/transports.ts';
import { challengeHeader, grantedHeaders } from './answer.ts';
import { decideBindings } from './bindings.ts';
import type { BindingsDecision, Circumstances, FlowChange } from './bindings.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import type { OutboundConnections } from './outbound-connections.ts';
import { parseRegister } from './register-request.ts';
import type { RegisterAsked } from './register-request.ts';

export type RegistrarOptions = {
  readonly engine: Engine;
  readonly transports: Pick<Transports, 'advertised' | 'prove'>;
  readonly limits: SourceLimits;
  readonly dispatcher: Dispatcher;
  readonly distribution: Distribution;
  readonly registrations: Pick<RegistrationLog, 'canRecord' | 'record'>;
  /** Work about one address of record, one after the other. */
  readonly queue: KeyedQueue;
  readonly connections: OutboundConnections;
  /** What has been applied of each peer's registrations. */
  readonly seen: () => readonly string[];
  readonly tokenKeys: TokenKeys;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Who asked for a change, and where from, as events show it. */
type Asker = { readonly aor: string; readonly source: string };

/** No Retry-After: the device is to try its other site at once (M11). */
const unavailable: Refusal = { status: 503, reason: 'Service Unavailable' };
const unknownDomain: Refusal = { status: 404, reason: 'Not Found' };
const failed: Refusal = { status: 500, reason: 'Server Internal Error' };

/**
 * Answers REGISTER: who it is says a processor, what becomes of the bindings is decided here.
 *
 * Invariant: a 200 is sent when the bindings it lists are durable, and none promises more than its recorded expiry.
 */
export class Registrar {
  readonly #options: RegistrarOptions;

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** Serves a request of method REGISTER. */
  async register(request: Request, transaction: Incoming, flow: Flow): Promise<void> {
    const refusal = await this.#serve(request, transaction, flow).catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'a REGISTER could not be served');
      return failed;
    });
    if (!refusal) return;
    const { status, reason, headers } = refusal;
    this.#options.engine.answer(request, transaction, status, { reason, headers });
  }

  async #serve(request: Request, transaction: Incoming, flow: Flow): Promise<Refusal | undefined> {
    const asked = parseRegister(request);
    if ('refusal' in asked) return asked.refusal;
    const { party } = asked;
    const facts = factsOf(request, asked, flow);
    const outcome = await this.#options.dispatcher.ask(`${party.user}@${party.host}`, facts);
    if (outcome.kind === 'unavailable') return unavailable;
    const { decision } = outcome;
    switch (decision.kind) {
      case 'not-mine':
        return decision.challenge ? challenge(decision.challenge) : unknownDomain;
      case 'challenge':
        return challenge(decision);
      case 'refused':
        return { status: decision.status, reason: decision.reason };
      case 'granted':
        return await this.#bind(request, transaction, { flow, asked, granted: decision });
      default:
        return failed;
    }
  }

  async #bind(
    request: Request,
    transaction: Incoming,
    { flow, asked, granted }: { flow: Flow; asked: RegisterAsked; granted: Granted },
  ): Promise<Refusal | undefined> {
    const { engine, transports, limits, queue, registrations, clock } = this.#options;
    transports.prove(flow);
    limits.prove(flow.address);
    if (queue.isBusy(granted.aor) && !registrations.canRecord) return unavailable;
    return await queue.run(granted.aor, async () => {
      const decision = this.#decide(asked, granted, flow);
      if (decision.kind === 'refused') return decision.refusal;
      const asker = { aor: granted.aor, source: sourceText(sourceOf(flow)) };
      const isRecorded = decision.changes.length === 0 || (await this.#record(decision.changes, asker));
      if (!isRecorded) return unavailable;
      this.#hold(decision, flow);
      const headers = grantedHeaders(request, asked, decision.listed, clock.nowMs());
      engine.answer(request, transaction, 200, { headers });
      return undefined;
    });
  }

  #decide(asked: RegisterAsked, granted: Granted, flow: Flow): BindingsDecision {
    const { distribution, registrations, seen, clock } = this.#options;
    const circumstances: Circumstances = {
      nowS: Math.floor(clock.nowMs() / 1000),
      source: sourceText(sourceOf(flow)),
      edge: this.#edgeOf(flow),
      seen: seen(),
      rivalsOf: (row) => distribution.rivalsOf(row),
      canRecord: registrations.canRecord,
    };
    return decideBindings(asked, granted, distribution.heldOf(granted.aor), circumstances);
  }

  async #record(changes: readonly FlowChange[], { aor, source }: Asker): Promise<boolean> {
    const { registrations, log } = this.#options;
    const isRemoval = changes.every(({ after }) => !after || after.gone);
    const actor = { name: aor, role: 'device', from: source } as const;
    try {
      await registrations.record(changes, actor, isRemoval ? 'deregistered' : 'registered');
      return true;
    } catch (error) {
      log.debug({ reason: messageOf(error), aor }, 'a registration was not recorded');
      return false;
    }
  }

  #hold(decision: BindingsDecision & { kind: 'accepted' }, flow: Flow): void {
    const { distribution, connections } = this.#options;
    for (const [key, promise] of decision.promises) distribution.promise(key, promise);
    for (const { key, after } of decision.changes) {
      const isOutbound = after !== null && !after.gone && after.reg_id > 0;
      connections.bind(key, isOutbound ? flow.connection : 0);
    }
  }

  /** This front's URI for the flow (RFC 5626 section 5.2): what a peer names when it has a request for the device. */
  #edgeOf(flow: Flow): string {
    const { transports, tokenKeys } = this.#options;
    const { host, port } = transports.advertised(flow.listener);
    const token = encodeFlowToken(tokenKeys, flow);
    return `sip:${token}@${host}:${port};transport=${flow.transport.toLowerCase()};lr`;
  }
}

function factsOf(request: Request, { party, contacts }: RegisterAsked, flow: Flow): RegisterFacts {
  const first = contacts === 'all' ? undefined : contacts[0];
  const hostPort = first?.hostPort ?? null;
  return {
    kind: 'register',
    party,
    credentials: credentialFacts(request, 'authorization'),
    source: sourceOf(flow),
    instance: first?.instance ?? null,
    contactHost: hostPort !== null && hostPort.length <= 260 ? hostPort : null,
  };
}

function challenge(decision: Parameters<typeof challengeHeader>[0]): Refusal {
  return { status: 401, reason: 'Unauthorized', headers: [challengeHeader(decision)] };
}
