import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { FtpServerAddress } from '../../services/platform/ftp/client/ftp-session.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { clientTls, serverTls } from './ftp-bed.ts';
import { FtpNetwork, freePassivePort } from './ftp-network.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const program = ['/usr/sbin/vsftpd', '/usr/local/sbin/vsftpd'].find((path) => existsSync(path));

/** More than sessions it has at once: one waits for a port that another has, and does not answer meanwhile. */
const passivePorts = 10;

/** Why tests with vsftpd cannot run here; undefined where they can. */
export const vsftpdMissing = program ? undefined : 'vsftpd is not installed (apt-get install vsftpd)';

/** A real FTP server of somebody else, behind a network of ours; anonymous logins may write to its directory `in`. */
export type Vsftpd = AsyncDisposable & {
  readonly address: FtpServerAddress;
  readonly network: FtpNetwork;
  /** Where `in` is. */
  readonly directory: string;
};

export type VsftpdOptions = {
  /** Whether it wants a certificate of the tests' authority from its clients. */
  readonly clientCertificates?: boolean | undefined;
};

export async function startVsftpd(
  security: FtpServerAddress['security'],
  { clientCertificates = true }: VsftpdOptions = {},
): Promise<Vsftpd> {
  await using starting = new AsyncDisposableStack();
  const directory = starting.use(await TemporaryDirectory.create());
  const port = await freePassivePort();
  const passivePort = await freePassivePort(passivePorts);
  await mkdir(directory.file('root/in'), { recursive: true });
  for (const [name, pem] of Object.entries(serverTls)) await writeFile(directory.file(`${name}.pem`), pem);
  const settings = { ...plainSettings, ...(security === 'plain' ? {} : tlsSettings(directory, security)) };
  const asked = clientCertificates ? 'YES' : 'NO';
  const own = {
    ...(security === 'plain' ? {} : { require_cert: asked, validate_cert: asked }),
    listen_port: port,
    pasv_min_port: passivePort,
    pasv_max_port: passivePort + passivePorts - 1,
  };
  const lines = Object.entries({ ...settings, ...own, anon_root: directory.file('root') });
  await writeFile(directory.file('vsftpd.conf'), lines.map(([key, value]) => `${key}=${value}\n`).join(''));

  const child = spawn(program ?? '', [directory.file('vsftpd.conf')], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  starting.defer(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await answering(port);
  const network = starting.use(
    await FtpNetwork.around({ host: '127.0.0.1', port }, passivePort, passivePorts),
  );
  const started = starting.move();
  const { key, cert, ca, servername } = clientTls;
  return {
    address: {
      ...network.control.address,
      security,
      user: 'anonymous',
      password: new Secret('nobody@example.net'),
      directory: 'in',
      tls: { key, cert, ca, servername },
    },
    network,
    directory: directory.file('root/in'),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** As an ordinary user may run it. */
const plainSettings = {
  listen: 'YES',
  listen_address: '127.0.0.1',
  background: 'NO',
  run_as_launching_user: 'YES',
  ftp_username: userInfo().username,
  anonymous_enable: 'YES',
  local_enable: 'NO',
  write_enable: 'YES',
  anon_upload_enable: 'YES',
  anon_other_write_enable: 'YES',
  anon_world_readable_only: 'NO',
  seccomp_sandbox: 'NO',
  isolate: 'NO',
  isolate_network: 'NO',
};

/** As strict as it can be: data connections that resume the control connection's session. */
const tlsSettings = (directory: TemporaryDirectory, security: 'implicit' | 'explicit') => ({
  ssl_enable: 'YES',
  implicit_ssl: security === 'implicit' ? 'YES' : 'NO',
  allow_anon_ssl: 'YES',
  force_anon_logins_ssl: 'YES',
  force_anon_data_ssl: 'YES',
  require_ssl_reuse: 'YES',
  rsa_private_key_file: directory.file('key.pem'),
  rsa_cert_file: directory.file('cert.pem'),
  ca_certs_file: directory.file('ca.pem'),
});

async function answering(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await wait(10);
  }
}
