import { testServer } from '../test-server.ts';

/** A program that starts a test server, writes where to standard error, and stays. */
const server = await testServer();
process.stderr.write(server.dataDir);
await server.server.exited;
