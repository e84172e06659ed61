import { startFtpServer } from '../../../services/platform/ftp/server/ftp-server.ts';
import { createLogger } from '../../../services/platform/logging/logger.ts';

/** Our FTP server in a process of its own: `node ftp-serve.ts <root, tls, passivePorts as JSON>`; tells its port. */
const { root, ...options } = JSON.parse(process.argv[2] ?? '{}');
const server = await startFtpServer({
  host: '127.0.0.1',
  port: 0,
  authorize: async () => ({ root, write: true }),
  log: createLogger({ program: 'ftp', level: 'silent' }),
  ...options,
});
process.send?.({ port: server.address.port });
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
