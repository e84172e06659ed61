import { takePortBlock } from '../../../services/site/port-block.ts';
import { runSipp, Sipp } from './sipp.ts';
import type { SipAddress } from './sip-address.ts';
import type { SipUser } from './users.ts';

/** More than are ever made. */
const callsMax = 1_000_000;
const expiresS = 3600;
const ringMs = 20;

/** Users who can be registered at one site after the other, and whose calls are all taken by one sipp. */
export class SippCallee implements AsyncDisposable {
  readonly users: readonly SipUser[];
  readonly #port: number;
  readonly #stack: AsyncDisposableStack;
  #answering: Sipp | undefined;

  private constructor(users: readonly SipUser[], port: number, stack: AsyncDisposableStack) {
    this.users = users;
    this.#port = port;
    this.#stack = stack;
  }

  static async start(site: SipAddress, users: readonly SipUser[]): Promise<SippCallee> {
    await using stack = new AsyncDisposableStack();
    const { first: port } = stack.use(await takePortBlock());
    const callee = new SippCallee(users, port, stack.move());
    try {
      await callee.register(site);
      return callee;
    } catch (error) {
      await callee[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Registers the users at a site, from the port that takes their calls. */
  async register(site: SipAddress): Promise<void> {
    await this.#answering?.[Symbol.asyncDispose]();
    const [port, users] = [this.#port, this.users];
    const keywords = { expires: expiresS };
    await runSipp({ scenario: 'register', target: site, port, users, calls: users.length, keywords });
    this.#answering = await Sipp.start({
      scenario: 'uas',
      port,
      calls: callsMax,
      pauseMs: ringMs,
      timeoutS: expiresS,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#answering?.[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }
}
