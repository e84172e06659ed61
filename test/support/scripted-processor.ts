import { listenOnSocket } from '../../services/platform/ipc/line-server.ts';
import { LineConnection } from '../../services/platform/ipc/line-connection.ts';
import { dispatchVersion, lineBytesMax, questionSchema } from '../../services/protocol/dispatch/messages.ts';
import type { Decision, Facts, ProcessorState } from '../../services/protocol/dispatch/messages.ts';
import type { RegisterFacts } from '../../services/protocol/dispatch/register.ts';

export type ScriptedProcessorOptions = {
  readonly owner: string;
  readonly role?: 'home' | 'standby' | undefined;
  /** By default it knows everybody at `OWNER.example`, and believes whoever shows credentials. */
  readonly decide?: ((facts: Facts) => Decision | undefined) | undefined;
};

const nonce = 'nonce';

/** A processor that answers as a test says; `undefined` is no answer at all. */
export class ScriptedProcessor implements AsyncDisposable {
  readonly path: string;
  readonly asked: Facts[] = [];
  decide: (facts: Facts) => Decision | undefined;
  state: ProcessorState = {
    kind: 'state',
    serving: true,
    reason: null,
    configuration: { incarnation: 'i', seq: 1 },
  };
  readonly #options: ScriptedProcessorOptions;
  readonly #fronts = new Set<LineConnection>();
  #listening: AsyncDisposable | undefined;

  private constructor(path: string, options: ScriptedProcessorOptions) {
    this.path = path;
    this.#options = options;
    this.decide = options.decide ?? ((facts) => believer(options.owner, facts));
  }

  static async open(path: string, options: ScriptedProcessorOptions): Promise<ScriptedProcessor> {
    const processor = new ScriptedProcessor(path, options);
    await processor.start();
    return processor;
  }

  async start(): Promise<void> {
    const { owner, role = 'home' } = this.#options;
    this.#listening = await listenOnSocket(this.path, (socket) => {
      const front: LineConnection = new LineConnection(socket, {
        lineBytesMax,
        onMessage: (message) => this.#answer(front, message),
        onClosed: () => this.#fronts.delete(front),
      });
      this.#fronts.add(front);
      front.send({ kind: 'hello', version: dispatchVersion, owner, role });
      front.send(this.state);
    });
  }

  /** Says how it is now. */
  announce(state: Partial<ProcessorState>): void {
    this.state = { ...this.state, ...state };
    for (const front of this.#fronts) front.send(this.state);
  }

  /** As if it were killed. */
  async stop(): Promise<void> {
    const closed = this.#listening?.[Symbol.asyncDispose]();
    for (const front of this.#fronts) await front[Symbol.asyncDispose]();
    await closed;
    this.#listening = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #answer(front: LineConnection, message: unknown): void {
    const { id, facts } = questionSchema.parse(message);
    if (facts.kind !== 'register' || facts.party.user !== '') this.asked.push(facts);
    const decision = this.decide(facts);
    if (decision) front.send({ kind: 'answer', id, decision });
  }
}

/** What a processor says that knows everybody at `OWNER.example`, and believes whoever shows credentials. */
export function believer(owner: string, facts: Facts): Decision {
  const domain = `${owner}.example`;
  const challenge = { kind: 'challenge', realm: domain, nonce, algorithm: 'MD5', stale: false } as const;
  if (facts.kind !== 'register' || facts.party.host !== domain) return { kind: 'not-mine', challenge: null };
  return facts.credentials ? granting(facts, owner) : challenge;
}

export function granting({ party }: RegisterFacts, owner: string): Decision {
  return {
    kind: 'granted',
    aor: `${party.user}@${party.host}`,
    owner,
    device: null,
    expiresSeconds: { min: 10, max: 3600, default: 600 },
    contactsMax: 4,
  };
}
