import type { FtpServerAddress } from '../../services/platform/ftp/client/ftp-session.ts';
import type { FtpServerOptions } from '../../services/platform/ftp/server/ftp-server.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { clientTls, password, startOurs, user } from './ftp-bed.ts';
import type { Subject } from './ftp-bed.ts';
import { freePort } from './free-port.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** Where the proxies listen; servers listen on 127.0.0.1. */
const proxyHost = '127.0.0.2';

/**
 * A server behind a bad network: one proxy for the control connection, one for data connections. A server tells only
 * the number of a passive port, so the proxy for data has the same port at another address.
 */
export class FtpNetwork implements AsyncDisposable {
  readonly control: TcpProxy;
  readonly data: TcpProxy;
  readonly #stack: AsyncDisposableStack;

  private constructor(control: TcpProxy, data: TcpProxy, stack: AsyncDisposableStack) {
    this.control = control;
    this.data = data;
    this.#stack = stack;
  }

  /** The server is to listen at `address`, its passive ports being `passivePort` and those after it. */
  static async around(
    address: Subject['address'],
    passivePort: number,
    passivePorts = 1,
  ): Promise<FtpNetwork> {
    await using starting = new AsyncDisposableStack();
    const control = starting.use(await TcpProxy.listen({ target: address, host: proxyHost }));
    const target = { host: address.host, port: passivePort };
    const data = starting.use(
      await TcpProxy.listen({ target, host: proxyHost, port: passivePort, ports: passivePorts }),
    );
    return new FtpNetwork(control, data, starting.move());
  }

  /** How a client reaches the server through the network. */
  address(security: FtpServerAddress['security']): FtpServerAddress {
    return ftpAddress(this.control.address, security);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** For our client, with the credentials the test servers accept. */
export function ftpAddress(
  address: Subject['address'],
  security: FtpServerAddress['security'],
): FtpServerAddress {
  const { key, cert, ca, servername } = clientTls;
  const tls = security === 'plain' ? undefined : { key, cert, ca, servername };
  return { ...address, security, user, password: new Secret(password), tls };
}

/** Our server with an empty directory, and a network around it. */
export async function startOursInNetwork(options: Partial<FtpServerOptions> = {}) {
  await using starting = new AsyncDisposableStack();
  const root = starting.use(await TemporaryDirectory.create());
  const port = await freePassivePort();
  const passivePorts = { min: port, max: port };
  const { server } = starting.use(await startOurs(root.path, { passivePorts, ...options }));
  const network = starting.use(await FtpNetwork.around(server.address, port));
  const started = starting.move();
  return { root, server, network, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** A port free at both addresses, or the first of so many. */
export function freePassivePort(count = 1): Promise<number> {
  return freePort(['127.0.0.1', proxyHost], count);
}
