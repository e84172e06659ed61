import type { AddressInfo, Server } from 'node:net';
import { FtpSrv } from 'ftp-srv';
import pino from 'pino';

/**
 * ftp-srv as it comes, in a process of its own because it ends the process on signals: `node stock-ftp-server.ts
 * <options as JSON>`. Accepts user `user`, password `password`. Tells its port and listener counts over IPC.
 */
const { root, ...options } = JSON.parse(process.argv[2] ?? '{}') as { root: string };
const server = new FtpSrv({ log: pino({ level: 'silent' }), pasv_min: 0, pasv_max: 0, ...options });
server.on('login', ({ username, password }, resolve, reject) => {
  if (username === 'user' && password === 'password') resolve({ root });
  else reject(new Error('no'));
});
await server.listen();
const { port } = (server as unknown as { server: Server }).server.address() as AddressInfo;
const signalListeners = ['SIGTERM', 'SIGINT', 'SIGQUIT'].map((signal) => process.listenerCount(signal));
process.send?.({ port, signalListeners });
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
