import { FtpClient } from '../../platform/ftp/client/ftp-client.ts';
import type { FtpServer } from '../../platform/ftp/server/ftp-server.ts';
import { startFtpServer } from '../../platform/ftp/server/ftp-server.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { Secret } from '../../platform/logging/secret.ts';
import type { Credentials } from '../../platform/tls/certificate-store.ts';
import { readPem } from '../../platform/tls/identity-files.ts';
import type { SynchronizerContext } from '../ports.ts';
import { TransferLogins } from './logins.ts';
import type { Offer } from './requests.ts';

/** Files uploaded at the same time: enough to keep one processor busy with TLS. */
const sessionsMax = 3;

/** Our FTP server and who may use it. */
export type Reception = AsyncDisposable & { readonly logins: TransferLogins };

/** Opens the FTP server to which peers push; it takes up renewed certificates. @throws FTP_LISTEN_FAILED */
export async function openReception({
  config,
  certificates,
  authenticate,
  log,
}: SynchronizerContext): Promise<Reception> {
  await using stack = new AsyncDisposableStack();
  const { listen, passivePorts, security } = config.ftp;
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
  return { logins, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** A client for the login that a peer has offered. */
export async function clientFor(
  { certificates, peers }: SynchronizerContext,
  { host, port, security, user, password }: Offer,
  peer: string,
  log: Logger,
): Promise<FtpClient> {
  const { key, cert } = certificates.current.options;
  const caFile = peers.get(peer)?.config.caFile ?? '';
  const tls = security === 'plain' ? undefined : { key, cert, ca: await readPem(caFile) };
  return new FtpClient({
    server: { host, port, security, user, password: new Secret(password), tls },
    sessionsMax,
    log,
  });
}

const tlsOf = ({ options: { key, cert, ca } }: Credentials) => ({ key, cert, ca });
