import { once } from 'node:events';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LineConnection } from '../../../services/platform/ipc/line-connection.ts';
import { listenOnSocket } from '../../../services/platform/ipc/line-server.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

const lineBytesMax = 1_000;

/** A server on a socket of its own, what it was told, and a raw client. */
async function talk() {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const directory = stack.use(await TemporaryDirectory.create());
  const path = directory.file('it.sock');
  const accepted = Promise.withResolvers<Socket>();
  stack.use(await listenOnSocket(path, accepted.resolve));
  const client = connect(path);
  stack.defer(() => void client.destroy());
  const messages: unknown[] = [];
  const closed = Promise.withResolvers<unknown>();
  const got = Promise.withResolvers<void>();
  const connection = stack.use(
    new LineConnection(await accepted.promise, {
      lineBytesMax,
      onMessage: (message) => {
        messages.push(message);
        if (message === 'end') got.resolve();
        if (message === 'bad') throw new Error('not understood');
      },
      onClosed: closed.resolve,
    }),
  );
  return { path, client, connection, messages, closed: closed.promise, got: got.promise };
}

describe('lines between programs', () => {
  it('arrive whole and in order however they are cut', async () => {
    const { client, messages, got } = await talk();
    const bytes = Buffer.from('{"a":"é"}\n[1,2]\n"end"\n');
    for (const byte of bytes) client.write(Buffer.from([byte]));
    await got;
    expect(messages).toEqual([{ a: 'é' }, [1, 2], 'end']);
  });

  it('sent within one turn are one write', async () => {
    const { client, connection } = await talk();
    const chunk = once(client, 'data');
    for (let i = 0; i < 100; i += 1) connection.send({ i });
    const text = String((await chunk)[0]);
    expect(text.split('\n')).toHaveLength(101);
  });

  it.each([
    ['that are not JSON', '{nope}\n', 'IPC_MESSAGE_INVALID'],
    ['that are too long', `"${'x'.repeat(lineBytesMax)}"\n`, 'IPC_MESSAGE_INVALID'],
    ['that never end', 'x'.repeat(3 * lineBytesMax), 'IPC_MESSAGE_INVALID'],
    ['that their reader refuses', '"bad"\n"after"\n', 'not understood'],
  ])('%s cut the connection', async (_, text, reason) => {
    const { client, messages, closed } = await talk();
    client.write(text);
    expect(String(await closed)).toContain(reason);
    expect(messages).not.toContain('after');
  });

  it('that were sent before the end are still delivered', async () => {
    const { client, connection, closed } = await talk();
    const data: Buffer[] = [];
    client.on('data', (chunk) => data.push(chunk));
    connection.send('last');
    connection.end();
    await once(client, 'end');
    expect(String(Buffer.concat(data))).toBe('"last"\n');
    expect(await closed).toBeUndefined();
  });
});

describe('the socket of a program', () => {
  it('is its owner’s only, and cannot be taken while it is answered', async () => {
    const { path } = await talk();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(listenOnSocket(path, () => undefined)).rejects.toThrow('IPC_SOCKET_IN_USE');
  });

  it('replaces a file nobody listens on', async () => {
    await using directory = await TemporaryDirectory.create();
    const path = directory.file('stale.sock');
    await writeFile(path, '');
    await using _server = await listenOnSocket(path, (socket) => socket.destroy());
    expect((await stat(path)).isSocket()).toBe(true);
  });

  it('says where it cannot be', async () => {
    await using directory = await TemporaryDirectory.create();
    await chmod(directory.path, 0o500);
    const path = directory.file(`${'x'.repeat(120)}/a.sock`);
    await expect(listenOnSocket(path, () => undefined)).rejects.toThrow('IPC_SOCKET_UNUSABLE');
  });
});
