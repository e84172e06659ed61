import { expect, test } from 'vitest';
import { startDiagnosticsServer } from '../../../services/platform/metrics/diagnostics-server.ts';
import type { DiagnosticsServer, Health } from '../../../services/platform/metrics/diagnostics-server.ts';
import { Counter, createRegistry } from '../../../services/platform/metrics/registry.ts';

const registry = createRegistry({ program: 'test' });
const counter = new Counter({
  name: 'events_total',
  help: 'Events',
  labelNames: ['kind'],
  registers: [registry],
});

function start(health: () => Health | Promise<Health>): Promise<DiagnosticsServer> {
  return startDiagnosticsServer({ host: '127.0.0.1', port: 0, health, registry });
}

const get = (server: DiagnosticsServer, path: string, init?: RequestInit) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, init);

test.each([
  [true, 200],
  [false, 503],
])('health %s is answered %i, with what the program says about itself', async (healthy, status) => {
  await using server = await start(() => ({ healthy, appliedSeq: 7 }));
  const response = await get(server, '/health');
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ healthy, appliedSeq: 7 });
});

test('a health check that fails is not healthy', async () => {
  await using server = await start(() => Promise.reject(new Error('no database')));
  const response = await get(server, '/health');
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({ healthy: false, error: 'no database' });
});

test('metrics are the program’s own and the process’s, with its labels', async () => {
  await using server = await start(() => ({ healthy: true }));
  counter.inc({ kind: 'change' }, 3);
  const response = await get(server, '/metrics');
  const text = await response.text();
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect(text).toContain('events_total{kind="change",program="test"} 3');
  expect(text).toMatch(/process_resident_memory_bytes\{program="test"\} \d+/);
});

test('nothing else is served', async () => {
  await using server = await start(() => ({ healthy: true }));
  expect((await get(server, '/')).status).toBe(404);
  expect((await get(server, '/health', { method: 'POST' })).status).toBe(405);
});

test('an action is done by a POST of JSON, and by nothing a browser sends unasked', async () => {
  const asked: unknown[] = [];
  const actions = {
    '/act': async (body: unknown) => {
      asked.push(body);
      return { done: true };
    },
  };
  const health = () => ({ healthy: true });
  await using server = await startDiagnosticsServer({
    host: '127.0.0.1',
    port: 0,
    health,
    registry,
    actions,
  });
  const post = (type: string, body: string) =>
    get(server, '/act', { method: 'POST', headers: { 'content-type': type }, body });
  expect((await post('text/plain', '{}')).status).toBe(415);
  expect((await post('application/json', 'x'.repeat(100_000))).status).toBe(500);
  expect((await get(server, '/act')).status).toBe(404);
  expect(asked).toEqual([]);
  const response = await post('application/json', '{"reason":"a test"}');
  expect([response.status, await response.json()]).toEqual([200, { done: true }]);
  expect(asked).toEqual([{ reason: 'a test' }]);
});

test('stopping does not wait for a check that hangs', async () => {
  const asked = Promise.withResolvers<void>();
  const server = await start(() => {
    asked.resolve();
    return new Promise(() => undefined);
  });
  const response = get(server, '/health').catch((error: unknown) => error);
  await asked.promise;
  await server[Symbol.asyncDispose]();
  expect(await response).toBeInstanceOf(TypeError);
});
