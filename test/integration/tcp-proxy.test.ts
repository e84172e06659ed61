import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it } from 'vitest';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** A server that keeps what it receives, behind a proxy, and a client of it. */
async function bed() {
  await using starting = new AsyncDisposableStack();
  const server = createServer({ allowHalfOpen: true });
  server.on('connection', (socket) => socket.on('error', () => undefined));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  starting.defer(() => void server.close());
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const proxy = starting.use(await TcpProxy.listen({ target }));
  const served = once(server, 'connection') as Promise<[Socket]>;
  const client = connect({ ...proxy.address, allowHalfOpen: true });
  starting.defer(() => void client.destroy());
  client.on('error', () => undefined);
  const [socket] = await served;
  starting.defer(() => void socket.destroy());
  const started = starting.move();
  return { proxy, client, socket, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const closeOf = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

it('a proxy forwards both ways, and ends one way at a time', async () => {
  await using b = await bed();
  const content = randomBytes(5_000_000);
  b.client.end(content);
  expect((await received(b.socket)).equals(content)).toBe(true);
  b.socket.end(content);
  expect((await received(b.client)).equals(content)).toBe(true);
  expect(b.proxy.forwardedBytes('up')).toBe(content.length);
});

it('a proxy delays without slowing down, and throttles', async () => {
  await using b = await bed();
  b.proxy.delay(100, ['up']);
  let startMs = performance.now();
  b.client.write(randomBytes(500_000));
  await b.proxy.forwarded('up', 500_000);
  expect(performance.now() - startMs).toBeGreaterThan(95);
  b.proxy.delay(0);
  b.proxy.throttle(100_000);
  startMs = performance.now();
  b.client.write(randomBytes(20_000));
  b.socket.resume();
  await b.proxy.forwarded('up', 520_000);
  expect(performance.now() - startMs).toBeGreaterThan(190);
});

it.each(['fin', 'rst'] as const)('a proxy cuts (%s) after so many bytes of one way, once', async (kind) => {
  await using b = await bed();
  b.proxy.cutAfter(1_000, 'up', kind);
  const closed = Promise.all([closeOf(b.client.resume()), closeOf(b.socket)]);
  const arrived: Buffer[] = [];
  b.socket.on('data', (chunk: Buffer) => arrived.push(chunk));
  b.client.on('end', () => b.client.end());
  b.socket.on('end', () => b.socket.end());
  b.client.write(randomBytes(3_000));
  await closed;
  expect(b.proxy.forwardedBytes('up')).toBe(1_000);
  expect(Buffer.concat(arrived).length).toBeLessThanOrEqual(1_000);
  const again = connect(b.proxy.address);
  again.write('x');
  await b.proxy.forwarded('up', 1_001);
  again.destroy();
});

it('a stalled proxy keeps sockets open and hides even an end', async () => {
  await using b = await bed();
  const ends: string[] = [];
  b.socket.on('end', () => ends.push('end')).resume();
  b.proxy.stall(['up']);
  b.client.end('bytes');
  b.socket.write('the other way still works');
  await once(b.client, 'data');
  expect(ends).toEqual([]);
  expect(b.proxy.forwardedBytes('up')).toBe(0);
  b.proxy.resume(['up']);
  await once(b.socket, 'end');
  expect(b.proxy.forwardedBytes('up')).toBe(5);
});

it('a proxy that refuses resets who connects', async () => {
  await using b = await bed();
  b.proxy.refuse();
  const refused = connect(b.proxy.address).resume();
  await expect(once(refused, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await b.proxy.accepted(2);
});
