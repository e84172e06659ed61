import { once } from 'node:events';
import { createServer } from 'node:net';
import { portsPerSite } from './config/template.ts';

/** Below the range from which the system takes ports for outgoing connections (32768 and up on Linux). */
const firstMin = 10_240;
const firstMax = 32_768 - portsPerSite;
/** A port of the block no site uses: whoever listens on it has the block. */
const sentinelOffset = 9;
const attemptsMax = 200;

/** Ports `first` to `first + 63`, all free when it was taken and not given to another until it is disposed of. */
export type PortBlock = AsyncDisposable & { readonly first: number };

/** Takes a block of free ports for one site, for tests and for sites that come up without being asked for ports. */
export async function takePortBlock(): Promise<PortBlock> {
  const blocks = Math.floor((firstMax - firstMin) / portsPerSite);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const first = firstMin + portsPerSite * Math.floor(Math.random() * blocks);
    const sentinel = await listen(first + sentinelOffset);
    if (!sentinel) continue;
    if (await areFree(first)) return { first, [Symbol.asyncDispose]: sentinel };
    await sentinel();
  }
  throw new Error(`no ${portsPerSite} free ports in a row were found in ${attemptsMax} attempts`);
}

async function areFree(first: number): Promise<boolean> {
  const offsets = Array.from({ length: portsPerSite }, (_, offset) => offset);
  const others = offsets.filter((offset) => offset !== sentinelOffset);
  const closings = await Promise.all(others.map((offset) => listen(first + offset)));
  await Promise.all(closings.flatMap((close) => (close ? [close()] : [])));
  return closings.every((close) => close !== undefined);
}

/** Listens on loopback; returns what ends it, or undefined where the port is taken. */
async function listen(port: number): Promise<(() => Promise<void>) | undefined> {
  const server = createServer();
  try {
    server.listen({ host: '127.0.0.1', port, exclusive: true });
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  return async () => {
    const closed = once(server, 'close');
    server.close();
    await closed;
  };
}
