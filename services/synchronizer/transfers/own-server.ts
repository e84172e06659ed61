import type { FtpServer } from '../../platform/ftp/server/ftp-server.ts';
import { startFtpServer } from '../../platform/ftp/server/ftp-server.ts';
import type { Credentials } from '../../platform/tls/certificate-store.ts';
import type { SynchronizerContext } from '../ports.ts';
import { TransferLogins } from './logins.ts';
import type { Reception } from './reception.ts';

/** Opens this site's FTP server to which peers push; it takes up renewed certificates. @throws FTP_LISTEN_FAILED */
export async function openOwnReception({
  config,
  certificates,
  authenticate,
  log,
}: SynchronizerContext): Promise<Reception> {
  await using stack = new AsyncDisposableStack();
  const { listen, passivePorts, publicHost, security } = config.ftp;
  let server: FtpServer | undefined;
  const logins = new TransferLogins(authenticate, (user) => void server?.closeSessions(user));
  server = stack.use(
    await startFtpServer({
      host: listen.host,
      port: listen.port,
      passivePorts,
      tls: security === 'plain' ? 'plain' : tlsOf(certificates.current),
      authorize: logins.authorize,
      log,
    }),
  );
  stack.use(certificates.onChange((credentials) => server.setTls(tlsOf(credentials))));
  const owned = stack.move();
  return {
    land: async (peer, _transfer, directory) => {
      const login = logins.issue(peer, directory);
      const { user, password } = login;
      return {
        offer: {
          host: publicHost,
          port: listen.port,
          security,
          user,
          password: password.reveal(),
          prefix: '',
        },
        fetch: async () => undefined,
        close: () => login[Symbol.dispose](),
        [Symbol.asyncDispose]: async () => login[Symbol.dispose](),
      };
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

const tlsOf = ({ options: { key, cert, ca } }: Credentials) => ({ key, cert, ca });
