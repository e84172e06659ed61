import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Login } from '../../platform/ftp/server/login.ts';
import type { Authorization } from '../../platform/ftp/server/confined-file-system.ts';
import { Secret } from '../../platform/logging/secret.ts';

/** A user of our FTP server who exists for one transfer. */
export type TransferLogin = Disposable & { readonly user: string; readonly password: Secret };

type Known = { readonly passwordDigest: Buffer; readonly directory: string; readonly peer: string };

/**
 * Who may log in to our FTP server: nobody, but for the time of a transfer the peer it comes from, into
 * the directory of that transfer.
 *
 * Invariant: a login holds for one transfer, one directory and, where certificates are in use, the
 * certificate of one peer; revoked, it never works again.
 */
export class TransferLogins {
  readonly #known = new Map<string, Known>();
  readonly #peerOf: (certificate: NonNullable<Login['certificate']>) => string | undefined;
  readonly #onRevoked: (user: string) => void;

  /** @param onRevoked ends the sessions of a user */
  constructor(
    peerOf: (certificate: NonNullable<Login['certificate']>) => string | undefined,
    onRevoked: (user: string) => void,
  ) {
    this.#peerOf = peerOf;
    this.#onRevoked = onRevoked;
  }

  /** Makes a login for a transfer from `peer`; disposing revokes it. */
  issue(peer: string, directory: string): TransferLogin {
    const user = `transfer-${randomBytes(8).toString('hex')}`;
    const password = randomBytes(32).toString('base64url');
    this.#known.set(user, { passwordDigest: digest(password), directory, peer });
    return {
      user,
      password: new Secret(password),
      [Symbol.dispose]: () => {
        if (this.#known.delete(user)) this.#onRevoked(user);
      },
    };
  }

  readonly authorize = async (login: Login): Promise<Authorization | undefined> => {
    const known = this.#known.get(login.user);
    const right = timingSafeEqual(digest(login.password.reveal()), known?.passwordDigest ?? digest(''));
    if (!known || !right) return undefined;
    if (login.certificate && this.#peerOf(login.certificate) !== known.peer) return undefined;
    return { root: known.directory, write: true };
  };
}

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
