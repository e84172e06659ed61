import type { TestProject } from 'vitest/node';
import { testServer } from './test-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the run's PostgreSQL server, database `postgres`, superuser. */
    readonly postgresUrl: string;
  }
}

/** One PostgreSQL server per run; `testDatabase` makes databases in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await testServer({ settings: { max_connections: '200' } });
  project.provide('postgresUrl', server.url('postgres'));
  return () => server[Symbol.asyncDispose]();
}
