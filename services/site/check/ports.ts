import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { messageOf } from '../../protocol/errors/index.ts';
import type { Address } from '../../protocol/program-config.ts';
import type { SiteConfig } from '../config/schema.ts';
import type { CheckContext, Finding } from './check.ts';

/** What `site start` listens on; an invitation may be waiting at the pairing port meanwhile. */
const sections = ['link', 'ftp', 'api'] as const;

/** Whether what is to be listened on is free; what a running site listens on itself is not looked at. */
export async function portFaults({ file: { config }, running }: CheckContext): Promise<readonly Finding[]> {
  if (running) return [];
  const faults = sections.map((section) => faultOf([section, 'listen'], config[section].listen));
  return (await Promise.all([...faults, ...sipFaults(config)])).flat();
}

function sipFaults({ sip }: SiteConfig): readonly Promise<readonly Finding[]>[] {
  return [
    ...(sip?.udp ? [faultOf(['sip', 'udp', 'listen'], sip.udp.listen, bindDatagrams)] : []),
    ...(sip?.tcp ? [faultOf(['sip', 'tcp', 'listen'], sip.tcp.listen)] : []),
    ...(sip?.tls ? [faultOf(['sip', 'tls', 'listen'], sip.tls.listen)] : []),
  ];
}

type Bind = (address: Address) => Promise<void>;

async function faultOf(
  path: Finding['path'],
  address: Address,
  bind: Bind = bindStreams,
): Promise<readonly Finding[]> {
  try {
    await bind(address);
    return [];
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const reason = taken ? 'another program listens there' : messageOf(error);
    return [{ path, message: `Cannot listen on ${address.host}:${address.port}: ${reason}` }];
  }
}

async function bindStreams({ host, port }: Address): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } finally {
    server.close();
  }
}

async function bindDatagrams({ host, port }: Address): Promise<void> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' });
  try {
    socket.bind({ address: host, port, exclusive: true });
    await once(socket, 'listening');
  } finally {
    socket.close();
  }
}
