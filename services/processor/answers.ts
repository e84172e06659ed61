import { isDualhomeError } from '../protocol/errors/index.ts';
import type { CredentialFacts, Refused } from '../protocol/dispatch/common.ts';
import type { Decision, Facts, ProcessorState } from '../protocol/dispatch/messages.ts';
import type { RegisterFacts } from '../protocol/dispatch/register.ts';
import type { Logger } from '../platform/logging/logger.ts';
import type { DomainRow } from './calls/configuration.ts';
import { locate } from './calls/locate.ts';
import { neighbour } from './calls/neighbour.ts';
import { originate } from './calls/originate.ts';
import type { Authenticate } from './calls/originate.ts';
import type { Configuration } from './configuration/configuration.ts';
import { aorOf } from './configuration/domains.ts';
import type { Subscriber } from './configuration/subscriber.ts';
import type { Authenticator } from './credentials/authenticator.ts';
import { identify } from './credentials/identify.ts';
import type { Identity } from './credentials/identify.ts';
import { decideRegister } from './register/decide.ts';
import { registerLimits } from './register/limits.ts';

export type AnswersOptions = {
  readonly owner: string;
  readonly role: 'home' | 'standby';
  readonly configuration: Configuration;
  readonly authenticator: Authenticator;
  readonly state: () => ProcessorState;
  readonly log: Logger;
  readonly onDecision: (facts: Facts, decision: Decision) => void;
};

/** Nothing is said of who the sender is: his other site may know. */
const unavailable: Refused = { kind: 'refused', status: 503, reason: 'Service Unavailable' };
/** A defect; it costs its sender an answer and nobody else anything. */
const failed: Refused = { kind: 'refused', status: 500, reason: 'Server Internal Error' };

/**
 * Answers what the front asks.
 *
 * Invariant: every question has one decision. While the database is silent, who is in memory is still served.
 */
export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  async to(facts: Facts): Promise<Decision> {
    const decision = await this.#decide(facts).catch((error: unknown) => this.#failure(facts, error));
    this.#options.onDecision(facts, decision);
    return decision;
  }

  async #decide(facts: Facts): Promise<Decision> {
    const { state, configuration } = this.#options;
    const { serving, reason } = state();
    if (!serving && reason !== 'PROCESSOR_DATABASE_SILENT') return unavailable;
    switch (facts.kind) {
      case 'register':
        return this.#register(facts);
      case 'originate':
        return originate(facts, configuration.forCalls, this.#authenticate);
      case 'locate':
        return locate(facts, configuration.forCalls);
      case 'neighbour':
        return neighbour(facts, configuration.forCalls.thirdParties);
    }
  }

  async #register(facts: RegisterFacts): Promise<Decision> {
    const { owner, role, configuration } = this.#options;
    const domain = configuration.domains.find(facts.party.host);
    if (!domain) return { kind: 'not-mine', challenge: null };
    const identity = await this.#identify(facts.party.user, domain, facts.credentials);
    const { environment, sharedDevices } = configuration;
    return decideRegister(facts, identity, owner, registerLimits(environment, role), sharedDevices);
  }

  readonly #authenticate: Authenticate = async (credentials, domain, username) => {
    const identity = await this.#identify(userOf(username), domain, credentials);
    return identity.kind === 'accepted' ? { kind: 'accepted', row: identity.subscriber.row } : identity;
  };

  async #identify(user: string, domain: DomainRow, credentials: CredentialFacts | null): Promise<Identity> {
    const { configuration, authenticator } = this.#options;
    const subscriber: Subscriber | undefined = await configuration.subscribers.find(aorOf(user, domain));
    return identify(user, domain, subscriber, credentials, authenticator);
  }

  #failure(facts: Facts, error: unknown): Decision {
    if (isDualhomeError(error)) return unavailable;
    this.#options.log.error({ err: error, question: facts.kind }, 'no decision');
    return failed;
  }
}

/** A username is `user` or `user@domain`. */
function userOf(username: string): string {
  return username.split('@', 1)[0] ?? '';
}
