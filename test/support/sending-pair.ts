import { randomBytes } from 'node:crypto';
import { freePassivePort } from './ftp-network.ts';
import { SyncPair } from './sync-pair.ts';
import type { SyncSite } from './sync-pair.ts';
import { TcpProxy } from './tcp-proxy.ts';

const proxyHost = '127.0.0.2';

/** A pair of which c2 receives its snapshots over a bad network; c1 holds rows that do not compress. */
export async function startSendingPair(configure: (receiver: SyncSite) => void = () => undefined) {
  await using stack = new AsyncDisposableStack();
  const pair = stack.use(await SyncPair.create());
  const { c1, c2 } = pair;
  const { listen } = c2.config.ftp;
  const passive = await freePassivePort();
  const through = async (port: number): Promise<TcpProxy> =>
    stack.use(await TcpProxy.listen({ target: { host: listen.host, port }, host: proxyHost, port }));
  const [control, data] = [await through(listen.port), await through(passive)];
  const passivePorts = { min: passive, max: passive };
  c2.config = { ...c2.config, ftp: { ...c2.config.ftp, publicHost: proxyHost, passivePorts } };
  configure(c2);
  await Promise.all([c1.start(), c2.start()]);
  await Promise.all([c1.linkIs('up'), c2.linkIs('up')]);
  const fieldsOf = () => ({ display_name: randomBytes(64).toString('hex') });
  await c1.append(8_000, { perCommit: 500, fieldsOf });
  const held = stack.move();
  return { c1, c2, control, data, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
