import { FtpClient } from '../../../services/platform/ftp/client/ftp-client.ts';
import { openLocalFile } from '../../../services/platform/ftp/client/upload.ts';
import { createLogger } from '../../../services/platform/logging/logger.ts';
import { Secret } from '../../../services/platform/logging/secret.ts';

/** Our FTP client in a process of its own: `node ftp-upload.ts <server, file, path as JSON>`. */
const { server, file, path } = JSON.parse(process.argv[2] ?? '{}');
await using client = new FtpClient({
  server: { ...server, password: new Secret('password') },
  sessionsMax: 1,
  log: createLogger({ program: 'ftp', level: 'silent' }),
});
await client.upload({ ...file, open: openLocalFile(path) }, { signal: new AbortController().signal });
