import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { Address } from '../../protocol/program-config.ts';

/** The network between the two sites of the tour, which it can cut. */
export type LinkProxy = AsyncDisposable & {
  /** Ends every connection and lets none come about. */
  cut(): void;
  heal(): void;
};

/** Forwards connections from `listen` to `target`. */
export async function openLinkProxy(listen: Address, target: Address): Promise<LinkProxy> {
  const sockets = new Set<Socket>();
  let up = true;
  const server = createServer((client) => {
    if (!up) {
      client.destroy();
      return;
    }
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(listen);
  await once(server, 'listening');
  const dropAll = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    cut() {
      up = false;
      dropAll();
    },
    heal() {
      up = true;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      dropAll();
      await closed;
    },
  };
}
