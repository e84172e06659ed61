import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';

/** Only the user who runs the site may connect. */
const othersMask = 0o177;
const connectionsMax = 16;

/**
 * Listens on a Unix socket that only its owner may connect to; a file that a killed process has left there is replaced.
 * Connections are the caller's to end.
 *
 * @throws IPC_SOCKET_IN_USE, IPC_SOCKET_UNUSABLE
 */
export async function listenOnSocket(
  path: string,
  onConnection: (socket: Socket) => void,
): Promise<AsyncDisposable> {
  if (await isAnswered(path)) throw new DualhomeError('IPC_SOCKET_IN_USE', { detail: path });
  const server = createServer(onConnection);
  server.maxConnections = connectionsMax;
  try {
    await rm(path, { force: true });
    await bind(server, path);
  } catch (cause) {
    throw new DualhomeError('IPC_SOCKET_UNUSABLE', { detail: messageOf(cause), facts: { path }, cause });
  }
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** The file is made within `listen`, with the modes of that moment. */
async function bind(server: Server, path: string): Promise<void> {
  const before = process.umask(othersMask);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await once(server, 'listening');
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
