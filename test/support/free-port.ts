import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those the system gives to outgoing connections, which would take one between its choice and its use. */
const portMin = 15_000;
const portMax = 32_000;

const given = new Set<number>();

/**
 * A port nobody listens on now, over TCP at each of `hosts` and over UDP, or the first of `count` such ports in a row;
 * this process is given each once.
 */
export async function freePort(hosts: readonly string[] = ['127.0.0.1'], count = 1): Promise<number> {
  for (;;) {
    const first = portMin + Math.floor(Math.random() * (portMax - portMin));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if (ports.some((port) => given.has(port))) continue;
    for (const port of ports) given.add(port);
    const places = hosts.flatMap((host) => ports.map((port) => [host, port] as const));
    const free = await Promise.all(places.flatMap((at) => [isFree(...at), isFreeForUdp(...at)]));
    if (free.every(Boolean)) return first;
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function isFreeForUdp(host: string, port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
