import { isIP } from 'node:net';
import { FtpClient } from '../../platform/ftp/client/ftp-client.ts';
import { Secret } from '../../platform/logging/secret.ts';
import type { SynchronizerContext } from '../ports.ts';
import type { Offer } from './requests.ts';

/** Files moved at the same time: enough to keep one processor busy with TLS. */
const sessionsMax = 3;

/** A client for what was offered. @param authority of the site whose own server it is */
export function clientFor(
  { certificates, log }: Pick<SynchronizerContext, 'certificates' | 'log'>,
  { host, port, security, user, password, named }: Offer,
  authority?: string,
): FtpClient {
  const { key, cert } = certificates.current.options;
  const ca = named ? named.authority : authority;
  const servername = isIP(host) ? {} : { servername: host };
  const tls = { key, cert, ...(ca === undefined ? {} : { ca }), ...servername };
  return new FtpClient({
    server: {
      host,
      port,
      security,
      user,
      password: new Secret(password),
      directory: named?.directory,
      tls: security === 'plain' ? undefined : tls,
    },
    sessionsMax,
    log,
  });
}
