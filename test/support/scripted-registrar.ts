import { randomBytes } from 'node:crypto';
import { parseCredentials } from '../../services/sip/auth/credentials.ts';
import { formatChallenge } from '../../services/sip/auth/challenge.ts';
import { digestHa1, digestResponse } from '../../services/sip/auth/digest.ts';
import type { Request } from '../../services/sip/message/message.ts';
import { buildResponse } from '../../services/sip/message/response.ts';
import type { ServerTransaction } from '../../services/sip/transaction/transaction.ts';
import type { Endpoint } from '../../services/sip/transport/received.ts';
import { UserAgent } from '../../services/simulator/user-agent/user-agent.ts';

type Transaction = ServerTransaction<Endpoint>;

/**
 * A registrar that does as the test says: it serves (with digest), refuses everything with a status, or is dead.
 * Passwords are `secret-<user>`.
 */
export class ScriptedRegistrar implements AsyncDisposable {
  mode: 'serving' | 'dead' | number = 'serving';
  /** Users registered here, with the expiry granted. */
  readonly registered = new Map<string, number>();
  expiresSecondsMax = 3_600;
  /** Requests seen, by method. */
  readonly seen = new Map<string, number>();
  readonly #realm: string;
  #userAgent: UserAgent | undefined;

  private constructor(realm: string) {
    this.#realm = realm;
  }

  static async start(realm: string): Promise<ScriptedRegistrar> {
    const registrar = new ScriptedRegistrar(realm);
    registrar.#userAgent = await UserAgent.open({
      address: '127.0.0.1',
      onRequest: (request, transaction) => registrar.#serve(request, transaction),
    });
    return registrar;
  }

  get endpoint(): Endpoint {
    return this.#userAgent?.endpoint ?? { address: '', port: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#userAgent?.[Symbol.asyncDispose]();
  }

  #serve(request: Request, transaction: Transaction): void {
    this.seen.set(request.method, (this.seen.get(request.method) ?? 0) + 1);
    if (this.mode === 'dead') return;
    if (typeof this.mode === 'number') this.#answer(request, transaction, this.mode);
    else if (request.method === 'REGISTER') this.#register(request, transaction);
    else this.#answer(request, transaction, 200);
  }

  #register(request: Request, transaction: Transaction): void {
    const credentials = parseCredentials(request.value('authorization') ?? '', 'REGISTER');
    if (!credentials) {
      const nonce = randomBytes(8).toString('hex');
      const challenge = formatChallenge({ realm: this.#realm, nonce, algorithm: 'MD5', isStale: false });
      this.#answer(request, transaction, 401, [['WWW-Authenticate', challenge]]);
      return;
    }
    const { username, response, input } = credentials;
    const ha1 = digestHa1('MD5', username, this.#realm, `secret-${username}`);
    if (digestResponse(ha1, input) !== response) return this.#answer(request, transaction, 403);
    const expires = Math.min(Number(request.value('expires')), this.expiresSecondsMax);
    if (expires === 0) this.registered.delete(username);
    else this.registered.set(username, expires);
    this.#answer(request, transaction, 200, [['Expires', String(expires)]]);
  }

  #answer(
    request: Request,
    transaction: Transaction,
    status: number,
    headers: readonly (readonly [string, string])[] = [],
  ): void {
    const bytes = buildResponse(request, status, { toTag: 'scripted', headers });
    this.#userAgent?.respond(transaction, status, bytes);
  }
}
