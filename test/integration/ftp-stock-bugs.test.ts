import { once } from 'node:events';
import { readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import {
  anonymousTls,
  clientTls,
  password,
  serverTls,
  startOurs,
  startStock,
  stockTls,
  strangerTls,
  user,
} from '../support/ftp-bed.ts';
import type { Subject } from '../support/ftp-bed.ts';
import { closesFiles, grown, opened, removed } from '../support/open-files.ts';
import { RawFtp } from '../support/raw-ftp.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

/**
 * Each bug of ftp-srv 4.6.3 that the adapter has to close: the same scenario shows it in the stock server and its
 * absence in ours. Where the stock server cannot be made to show it cheaply, only ours is asked.
 */

/** Runs `scenario` against both servers without TLS; gives what each of them came to. */
async function both<T>(
  scenario: (subject: Subject) => Promise<T>,
  { stock = {}, ours = {} }: { stock?: object; ours?: Parameters<typeof startOurs>[1] } = {},
): Promise<{ readonly stock: T; readonly ours: T }> {
  await using stockRoot = await TemporaryDirectory.create();
  await using ourRoot = await TemporaryDirectory.create();
  await using stockSubject = await startStock(stockRoot.path, stock);
  await using ourSubject = await startOurs(ourRoot.path, ours);
  return { stock: await scenario(stockSubject), ours: await scenario(ourSubject) };
}

async function session({ address }: Subject): Promise<RawFtp> {
  const ftp = await RawFtp.connect(address);
  expect((await ftp.logIn(user, password)).code).toBe(230);
  return ftp;
}

describe('what the stock FTP server does wrong and ours does right', () => {
  it('row 1: STOR after REST keeps the bytes before the offset', async () => {
    const result = await both(async (subject) => {
      await writeFile(`${subject.root}/f`, 'aaaaabbbbb');
      using ftp = await session(subject);
      const data = await ftp.dataSocket(await ftp.passivePort());
      await ftp.command('REST 5');
      expect((await ftp.command('STOR f')).code).toBe(150);
      data.end('cc');
      expect((await ftp.reply())?.code).toBe(226);
      return readFile(`${subject.root}/f`, 'latin1');
    });
    expect(result).toEqual({ stock: '\0\0\0\0\0cc', ours: 'aaaaacc' });
  });

  it('row 2: a data connection that is reset leaves the partial file', async () => {
    const result = await both(async (subject) => {
      using ftp = await session(subject);
      const data = await ftp.dataSocket(await ftp.passivePort());
      await ftp.command('STOR f');
      data.write(Buffer.alloc(50_000, 'x'));
      await grown(`${subject.root}/f`, 50_000);
      data.resetAndDestroy();
      expect((await ftp.reply())?.code).toBeGreaterThanOrEqual(400);
      return (await removed(`${subject.root}/f`, 1_000)) ? 'removed' : 'kept';
    });
    expect(result).toEqual({ stock: 'removed', ours: 'kept' });
  });

  it('row 3: an uploader that dies while its data connection stalls leaves no file open', async () => {
    const result = await both(async (subject) => {
      using ftp = await session(subject);
      const data = await ftp.dataSocket(await ftp.passivePort());
      await ftp.command('STOR f');
      data.write('some');
      await grown(`${subject.root}/f`, 4);
      ftp.socket.end();
      return closesFiles(subject.pid, subject.root, 2_000);
    });
    expect(result).toEqual({ stock: false, ours: true });
  });

  it('row 4: a downloader that dies leaves no file open', async () => {
    const result = await both(async (subject) => {
      await writeFile(`${subject.root}/f`, Buffer.alloc(32 << 20));
      using ftp = await session(subject);
      const data = await ftp.dataSocket(await ftp.passivePort());
      data.pause();
      await ftp.command('RETR f');
      await opened(subject.pid, subject.root);
      ftp.socket.destroy();
      return closesFiles(subject.pid, subject.root, 2_000);
    });
    expect(result).toEqual({ stock: false, ours: true });
  });

  it('row 4: a server that stops during a transfer leaves no file open', async () => {
    await using root = await TemporaryDirectory.create();
    await writeFile(root.file('f'), Buffer.alloc(32 << 20));
    const subject = await startOurs(root.path);
    using ftp = await session(subject);
    const data = await ftp.dataSocket(await ftp.passivePort());
    data.pause();
    await ftp.command('RETR f');
    await opened(process.pid, root.path);
    await subject[Symbol.asyncDispose]();
    expect(await closesFiles(process.pid, root.path, 0)).toBe(true);
  });

  it('row 5: a ClientHello is never read as a command', async () => {
    const hello = await clientHello();
    const answer = async ({ address }: Subject): Promise<string> => {
      using ftp = await RawFtp.connect(address);
      ftp.socket.write(Buffer.concat([Buffer.from('AUTH TLS\r\n'), hello]));
      const first = await ftp.reply();
      const [next] = await Promise.race([
        once(ftp.socket, 'data') as Promise<Buffer[]>,
        ftp.closed().then(() => []),
        wait(300, []),
      ]);
      return `${first?.code}, then ${next?.[0] === 0x16 ? 'a handshake' : 'no handshake'}`;
    };
    const result = await both(answer, { stock: stockTls.explicit });
    expect(result.stock).toBe('234, then no handshake');
    expect(result.ours).toBe('502, then no handshake');

    await using root = await TemporaryDirectory.create();
    await using subject = await startOurs(root.path, { tls: serverTls });
    const logins = await Promise.all(
      Array.from({ length: 40 }, async () => {
        using ftp = await RawFtp.connect(subject.address, clientTls);
        return (await ftp.logIn(user, password)).code;
      }),
    );
    expect(new Set(logins)).toEqual(new Set([230]));
  });

  it('row 6: nobody logs in without a client certificate', async () => {
    await using root = await TemporaryDirectory.create();
    await using stock = await startStock(root.path, stockTls.explicit);
    await using ours = await startOurs(root.path, { tls: serverTls });
    using plain = await RawFtp.connect(stock.address);
    await plain.command('AUTH TLS');
    using inside = await plain.upgrade(anonymousTls);
    expect((await inside.logIn(user, password)).code).toBe(230);

    const [error] = await refusal(ours.address, anonymousTls);
    expect(error?.code).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
    expect(ours.server.counters).toMatchObject({ handshakesFailed: 1, logins: 0 });
  });

  it('row 7: with TLS configured, a login in plain text is not possible', async () => {
    const result = await both(
      async ({ address }) => {
        using ftp = new RawFtp(address, connect(address), undefined);
        ftp.socket.write(`USER ${user}\r\nPASS ${password}\r\n`);
        const codes = [await ftp.reply(), await ftp.reply(), await ftp.reply()];
        return codes.map((reply) => reply?.code);
      },
      { stock: stockTls.explicit, ours: { tls: serverTls } },
    );
    expect(result.stock).toEqual([220, 331, 230]);
    expect(result.ours).toEqual([undefined, undefined, undefined]);
  });

  it('row 8: nothing sent before TLS is executed inside it', async () => {
    await using root = await TemporaryDirectory.create();
    await using stock = await startStock(root.path, stockTls.explicit);
    await using ours = await startOurs(root.path);
    const inject = async ({ address }: Subject): Promise<RawFtp> => {
      const ftp = await RawFtp.connect(address);
      ftp.socket.write('AUTH TLS\r\nUSER injected\r\n');
      return ftp;
    };

    using stockFtp = await inject(stock);
    expect((await stockFtp.reply())?.code).toBe(234);
    using inside = await stockFtp.upgrade(clientTls);
    expect((await inside.reply())?.code, 'an answer to the injected USER').toBe(331);

    using ourFtp = await inject(ours);
    expect((await ourFtp.reply())?.code, 'AUTH does not exist').toBe(502);
  });

  it('row 9: a command may come in two packets', async () => {
    const result = await both(async (subject) => {
      using other = await RawFtp.connect(subject.address);
      using ftp = await session(subject);
      ftp.socket.write('NO');
      for (let i = 0; i < 3; i += 1) await other.command('NOOP');
      return (await ftp.command('OP')).code;
    });
    expect(result).toEqual({ stock: 502, ours: 200 });
  });

  it('row 9: a line without end is cut off', async () => {
    const result = await both(async (subject) => {
      using ftp = await RawFtp.connect(subject.address);
      ftp.socket.write(Buffer.alloc(256 << 10, 'x'));
      await Promise.race([ftp.closed(), wait(500)]);
      return ftp.socket.closed ? 'closed' : 'open';
    });
    expect(result).toEqual({ stock: 'open', ours: 'closed' });
  });

  it('row 10: data connections resume the TLS session of the control connection', async () => {
    const result = await both(
      async (subject) => {
        await writeFile(`${subject.root}/f`, 'content');
        using ftp = await RawFtp.connect(subject.address, clientTls);
        await ftp.logIn(user, password);
        const reused: boolean[] = [];
        for (let i = 0; i < 3; i += 1) {
          const data = (await ftp.dataSocket(await ftp.passivePort())) as TLSSocket;
          ftp.socket.write('RETR f\r\n');
          await once(data.resume(), 'end');
          reused.push(data.isSessionReused());
          expect([(await ftp.reply())?.code, (await ftp.reply())?.code]).toEqual([150, 226]);
        }
        return reused;
      },
      { stock: stockTls.implicit, ours: { tls: serverTls } },
    );
    expect(result).toEqual({ stock: [false, false, false], ours: [true, true, true] });
  });

  it('row 10: a data connection with another certificate than the control connection is not taken', async () => {
    const result = await both(
      async (subject) => {
        using ftp = await RawFtp.connect(subject.address, clientTls);
        await ftp.logIn(user, password);
        const data = await ftp.dataSocket(await ftp.passivePort(), strangerTls);
        data.end('not from the client');
        ftp.socket.write('STOR f\r\n');
        await ftp.reply();
        const { code } = (await ftp.reply()) ?? {};
        return { code, stored: await readFile(`${subject.root}/f`, 'utf8') };
      },
      { stock: stockTls.implicit, ours: { tls: serverTls, limits: { handshakeTimeoutMs: 300 } } },
    );
    expect(result.stock).toEqual({ code: 226, stored: 'not from the client' });
    expect(result.ours).toEqual({ code: 425, stored: '' });
  });

  it('row 11: symbolic links lead nowhere', async () => {
    await using outside = await TemporaryDirectory.create();
    await writeFile(outside.file('secret'), 'secret');
    const result = await both(async (subject) => {
      await symlink(outside.path, `${subject.root}/dir`);
      await symlink(outside.file('secret'), `${subject.root}/link`);
      await symlink(outside.file(subject.kind), `${subject.root}/new`);
      using ftp = await session(subject);
      const codes = [(await ftp.command('SIZE link')).code, (await ftp.command('RNFR link')).code];
      for (const command of ['RETR link', 'RETR dir/secret', 'STOR new', 'APPE link']) {
        const data = await ftp.dataSocket(await ftp.passivePort());
        const { code } = await ftp.command(command);
        if (command.startsWith('RETR')) data.resume();
        else data.end('!');
        codes.push(code === 150 ? ((await ftp.reply())?.code ?? 0) : code);
        data.destroy();
      }
      return codes;
    });
    expect(result.stock).toEqual([213, 350, 226, 226, 226, 226]);
    expect(result.ours).toEqual([550, 550, 550, 553, 550, 550]);
    expect(await readdir(outside.path)).toEqual(['secret', 'stock']);
    expect(await readFile(outside.file('secret'), 'utf8'), 'changed once, by the stock server').toBe(
      'secret!',
    );
  });

  it('row 12: a healthy transfer may last longer than the control connection may be silent', async () => {
    const result = await both(
      async (subject) => {
        using ftp = await session(subject);
        const data = await ftp.dataSocket(await ftp.passivePort());
        await ftp.command('STOR f');
        for (let i = 0; i < 16; i += 1) {
          data.write('x');
          await wait(50);
        }
        data.end();
        return (await ftp.reply())?.code;
      },
      { stock: { timeout: 300 }, ours: { limits: { idleTimeoutMs: 300 } } },
    );
    expect(result).toEqual({ stock: 421, ours: 226 });
  });

  it('row 13: no signal handler is left in the process', async () => {
    await using root = await TemporaryDirectory.create();
    await using stock = await startStock(root.path);
    expect(stock.signalListeners).toEqual([1, 1, 1]);
    const listeners = () => ['SIGTERM', 'SIGINT', 'SIGQUIT'].map((signal) => process.listenerCount(signal));
    const before = listeners();
    await using _ours = await startOurs(root.path);
    expect(listeners()).toEqual(before);
  });

  it('row 14: a data connection is used when it comes, not at the next look', async () => {
    const result = await both(async (subject) => {
      await writeFile(`${subject.root}/f`, 'content');
      using ftp = await session(subject);
      const waitsMs: number[] = [];
      for (let i = 0; i < 11; i += 1) {
        const port = await ftp.passivePort();
        ftp.socket.write('RETR f\r\n');
        await wait(10);
        const startMs = performance.now();
        const data = await ftp.dataSocket(port);
        await once(data, 'data');
        waitsMs.push(performance.now() - startMs);
        data.end();
        await ftp.reply();
        await ftp.reply();
      }
      return waitsMs.sort((a, b) => a - b)[5] ?? 0;
    });
    expect(result.stock).toBeGreaterThan(25);
    expect(result.ours).toBeLessThan(result.stock);
  });

  it('row 15: a name is taken as it is, or not at all', async () => {
    const result = await both(async (subject) => {
      using ftp = await session(subject);
      const codes: (number | undefined)[] = [];
      for (const command of ['STOR a"b', 'APPE c -d e', 'STOR ../f', 'STOR UPPER']) {
        const data = await ftp.dataSocket(await ftp.passivePort());
        const { code } = await ftp.command(command);
        data.end();
        codes.push(code === 150 ? (await ftp.reply())?.code : code);
      }
      return { codes, names: await readdir(subject.root) };
    });
    expect(result.stock.names).toEqual(['UPPER', 'ab', 'c e', 'f']);
    expect(result.ours).toEqual({ codes: [553, 553, 553, 553], names: [] });
  });

  it('row 16: EPSV is answered at once when every passive port is taken, and works again when one is free', async () => {
    await using root = await TemporaryDirectory.create();
    const squatter = createServer();
    await once(squatter.listen(0, '127.0.0.1'), 'listening');
    const { port } = squatter.address() as { port: number };
    await using subject = await startOurs(root.path, { passivePorts: { min: port, max: port } });
    using ftp = await session(subject);
    expect((await ftp.command('EPSV')).code).toBe(425);
    squatter.close();
    await once(squatter, 'close');
    expect(await ftp.passivePort()).toBe(port);
  });

  it('row 17: the dependencies ftp-srv asks for are replaced by newer ones, or by nothing', () => {
    const require = createRequire(import.meta.url);
    const manifest = (name: string) =>
      require(`${name}/package.json`) as { version: string; dependencies?: Record<string, string> };
    const asked = manifest('ftp-srv').dependencies ?? {};
    expect(asked).toMatchObject({ ip: '^1.1.5', uuid: '^3.2.1', yargs: '^15.4.1' });
    expect(manifest('ip').version).toBe('2.0.1');
    expect(manifest('uuid').version).toBe('11.1.0');
    expect(manifest('yargs').version).toBe('17.7.2');
    expect(manifest('mv').dependencies, 'the empty package, without glob and rimraf').toBeUndefined();
  });
});

/** The error a client gets that the server refuses during the handshake. */
function refusal(address: Subject['address'], tls: ConnectionOptions): Promise<NodeJS.ErrnoException[]> {
  return once(connectTls({ ...address, ...tls }).resume(), 'error', { signal: AbortSignal.timeout(5_000) });
}

/** The first bytes a TLS client sends. */
async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = new Duplex({ read: () => undefined, write: (chunk: Buffer) => resolve(chunk) });
  connectTls({ ...clientTls, socket }).on('error', () => undefined);
  const hello = await promise;
  socket.destroy();
  return hello;
}
