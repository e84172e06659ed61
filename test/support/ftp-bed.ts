import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { startFtpServer } from '../../services/platform/ftp/server/ftp-server.ts';
import type { FtpServer, FtpServerOptions } from '../../services/platform/ftp/server/ftp-server.ts';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { createAuthority, issueCertificate } from '../../services/platform/tls/certificates.ts';
import type { Identity } from '../../services/platform/tls/certificates.ts';

export const silentLog = createLogger({ program: 'test', level: 'silent' });

export const user = 'user';
export const password = 'password';

const authority = await createAuthority({ name: 'authority', days: 1 });
const otherAuthority = await createAuthority({ name: 'other authority', days: 1 });

/** Key, certificate and trusted authority, as TLS wants them. */
export type TlsEnd = { readonly key: string; readonly cert: string; readonly ca: string };

function tlsEnd({ certificatePem, privateKeyPem }: Identity): TlsEnd {
  return { key: privateKeyPem.reveal(), cert: certificatePem, ca: authority.certificatePem };
}

/** A certificate of the authority that server and clients trust. */
export async function newTlsEnd(name: string): Promise<TlsEnd> {
  const subject = { name, days: 1, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '127.0.0.2'] };
  return tlsEnd(await issueCertificate(authority, subject));
}

export const serverTls = await newTlsEnd('server');
export const clientTls: ConnectionOptions = { ...(await newTlsEnd('client')), servername: 'localhost' };
/** Of the same authority, but somebody else. */
export const strangerTls: ConnectionOptions = { ...(await newTlsEnd('stranger')), servername: 'localhost' };
/** Of an authority nobody here trusts. */
export const outsiderTls: ConnectionOptions = {
  ...tlsEnd(await issueCertificate(otherAuthority, { name: 'outsider', days: 1 })),
  servername: 'localhost',
};
/** Trusts the server, has no certificate. */
export const anonymousTls: ConnectionOptions = { ca: authority.certificatePem, servername: 'localhost' };

/** A server under comparison, whichever it is. */
export type Subject = AsyncDisposable & {
  readonly kind: 'stock' | 'ours';
  readonly address: { readonly host: string; readonly port: number };
  /** Process whose files are looked at. */
  readonly pid: number;
  readonly root: string;
};

/** Our server, in this process; it accepts `user` with `password` for `root`. */
export async function startOurs(
  root: string,
  options: Partial<FtpServerOptions> = {},
): Promise<Subject & { readonly server: FtpServer }> {
  const server = await startFtpServer({
    host: '127.0.0.1',
    port: 0,
    tls: 'plain',
    authorize: async (login) =>
      login.user === user && login.password.reveal() === password ? { root, write: true } : undefined,
    log: silentLog,
    ...options,
  });
  return {
    kind: 'ours',
    server,
    address: server.address,
    pid: process.pid,
    root,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const stockProgram = fileURLToPath(new URL('./programs/stock-ftp-server.ts', import.meta.url));

/** The stock server with options of ftp-srv, in a process of its own. */
export async function startStock(
  root: string,
  options: object = {},
): Promise<Subject & { readonly signalListeners: readonly number[] }> {
  const settings = { url: 'ftp://127.0.0.1:0', root, ...options };
  const child = fork(stockProgram, [JSON.stringify(settings)]);
  const exited = once(child, 'exit');
  const [{ port, signalListeners }] = (await once(child, 'message')) as [
    { port: number; signalListeners: number[] },
  ];
  return {
    kind: 'stock',
    address: { host: '127.0.0.1', port },
    pid: child.pid ?? 0,
    root,
    signalListeners,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Options that make the stock server demand client certificates, by AUTH TLS or from the first byte. */
export const stockTls = {
  explicit: { tls: { ...serverTls, requestCert: true, rejectUnauthorized: true } },
  implicit: {
    url: 'ftps://127.0.0.1:0',
    tls: { ...serverTls, requestCert: true, rejectUnauthorized: true },
  },
};
