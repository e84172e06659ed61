import { once } from 'node:events';
import { createServer } from 'node:net';
import { messageOf } from '../../protocol/errors/index.ts';
import type { Address } from '../../protocol/program-config.ts';
import type { CheckContext, Finding } from './check.ts';

/** What `site start` listens on; an invitation may be waiting at the pairing port meanwhile. */
const sections = ['link', 'ftp', 'api'] as const;

/** Whether what is to be listened on is free; what a running site listens on itself is not looked at. */
export async function portFaults({ file: { config }, running }: CheckContext): Promise<readonly Finding[]> {
  if (running) return [];
  const faults = sections.map((section) => faultOf([section, 'listen'], config[section].listen));
  return (await Promise.all(faults)).flat();
}

async function faultOf(path: Finding['path'], { host, port }: Address): Promise<readonly Finding[]> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return [];
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const reason = taken ? 'another program listens there' : messageOf(error);
    return [{ path, message: `Cannot listen on ${host}:${port}: ${reason}` }];
  } finally {
    server.close();
  }
}
