import { startEmbeddedPostgres } from '../../../services/platform/embedded-postgres/server.ts';

/** A program that starts a server, says so and stays: `node postgres-server.ts <options as JSON>`. */
const server = await startEmbeddedPostgres(JSON.parse(process.argv[2] ?? ''));
process.stdout.write(`${server.pid}\n`);
await server.exited;
