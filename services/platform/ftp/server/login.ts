import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { Secret } from '../../logging/secret.ts';
import { ConfinedFileSystem } from './confined-file-system.ts';
import type { Authorization } from './confined-file-system.ts';
import type { FtpServerCounters } from './counters.ts';
import { FileWriters } from './file-writers.ts';
import type { FtpServerLimits } from './limits.ts';
import { orAborted } from '../or-aborted.ts';
import type { FtpServerSession } from './session.ts';

/** Who wants to log in. */
export type Login = {
  readonly user: string;
  readonly password: Secret;
  readonly remoteAddress: string | undefined;
  /** The client's certificate, its chain verified; undefined in plain mode. */
  readonly certificate: X509Certificate | undefined;
};

/** Decides about a login: what it may do, or undefined to refuse. The policy is the caller's. */
export type Authorize = (login: Login) => Promise<Authorization | undefined>;

/**
 * Lets sessions in.
 *
 * Invariant: a session has files only after `authorize` said so, while it was open, and within the limits.
 */
export class LoginDesk {
  readonly #authorize: Authorize;
  readonly #counters: FtpServerCounters;
  readonly #limits: Pick<FtpServerLimits, 'sessionsMax'>;
  readonly #writers = new FileWriters();
  /** And those whose login is being decided. */
  readonly #loggedIn = new Set<FtpServerSession>();

  constructor(
    authorize: Authorize,
    counters: FtpServerCounters,
    limits: Pick<FtpServerLimits, 'sessionsMax'>,
  ) {
    this.#authorize = authorize;
    this.#counters = counters;
    this.#limits = limits;
  }

  /** Rejects with what the client may know. The user is set first, so that a revocation meanwhile finds it. */
  async login(session: FtpServerSession, user: string, password: string): Promise<ConfinedFileSystem> {
    session.loginAttempts += 1;
    session.user = user;
    const isRoom = this.#loggedIn.size < this.#limits.sessionsMax;
    this.#loggedIn.add(session);
    void session.ended.then(() => this.#loggedIn.delete(session));
    const files = isRoom ? await this.#filesFor(session, user, password) : undefined;
    if (!files || session.signal.aborted) {
      this.#loggedIn.delete(session);
      this.#counters.loginsRefused += 1;
      session.log.warn({ user }, 'FTP login refused');
      throw new Error('Login refused');
    }
    this.#counters.logins += 1;
    session.files = files;
    session.log.debug({ user }, 'FTP login');
    return files;
  }

  async #filesFor(
    session: FtpServerSession,
    user: string,
    password: string,
  ): Promise<ConfinedFileSystem | undefined> {
    const { socket } = session;
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    const { remoteAddress } = socket;
    try {
      const login = { user, password: new Secret(password), remoteAddress, certificate };
      const authorization = await orAborted(this.#authorize(login), session.signal);
      return authorization && (await ConfinedFileSystem.open(authorization, this.#writers));
    } catch (error) {
      if (!session.signal.aborted) session.log.error({ err: error, user }, 'FTP login could not be decided');
      return undefined;
    }
  }
}
