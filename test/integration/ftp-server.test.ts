import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectUrisOf } from '../../services/platform/tls/inspect.ts';
import type { Login } from '../../services/platform/ftp/server/login.ts';
import type { FtpServerOptions } from '../../services/platform/ftp/server/ftp-server.ts';
import {
  anonymousTls,
  clientTls,
  newTlsEnd,
  outsiderTls,
  password,
  serverTls,
  startOurs,
  strangerTls,
  user,
} from '../support/ftp-bed.ts';
import { closesFiles, grown, openFiles } from '../support/open-files.ts';
import { RawFtp } from '../support/raw-ftp.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

type Bed = AsyncDisposable & {
  readonly root: TemporaryDirectory;
  readonly ours: Awaited<ReturnType<typeof startOurs>>;
  /** A session that is logged in. */
  session(): Promise<RawFtp>;
};

async function bed(options: Partial<FtpServerOptions> = {}): Promise<Bed> {
  await using starting = new AsyncDisposableStack();
  const root = starting.use(await TemporaryDirectory.create());
  const ours = starting.use(await startOurs(root.path, options));
  const tls = options.tls && options.tls !== 'plain' ? clientTls : undefined;
  const started = starting.move();
  return {
    root,
    ours,
    session: async () => {
      const ftp = await RawFtp.connect(ours.address, tls);
      expect((await ftp.logIn(user, password)).code).toBe(230);
      return ftp;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** Stores `content` and gives the last reply code. */
async function store(ftp: RawFtp, command: string, content: string | Buffer): Promise<number | undefined> {
  const data = await ftp.dataSocket(await ftp.passivePort());
  const { code } = await ftp.command(command);
  if (code !== 150) return code;
  data.end(content);
  return (await ftp.reply())?.code;
}

async function retrieve(ftp: RawFtp, command: string): Promise<string | number> {
  const data = await ftp.dataSocket(await ftp.passivePort());
  const chunks: Buffer[] = [];
  data.on('data', (chunk: Buffer) => chunks.push(chunk));
  const { code } = await ftp.command(command);
  if (code !== 150) return code;
  await once(data, 'end');
  await ftp.reply();
  return Buffer.concat(chunks).toString('latin1');
}

describe('the FTP server', () => {
  it('stores, appends, restarts, tells sizes and digests, renames, and sends from any byte', async () => {
    await using b = await bed({ tls: serverTls });
    using ftp = await b.session();
    expect(await store(ftp, 'STOR f.part', 'hello')).toBe(226);
    expect(await store(ftp, 'APPE f.part', ', world!!')).toBe(226);
    await ftp.command('REST 12');
    expect(await store(ftp, 'STOR f.part', '.')).toBe(226);
    expect((await ftp.command('SIZE f.part')).text).toBe('213 13');
    expect((await ftp.command('XSHA256 f.part')).text).toBe(
      `250 ${createHash('sha256').update('hello, world.').digest('hex')}`,
    );
    expect((await ftp.command('RNFR f.part')).code).toBe(350);
    expect((await ftp.command('RNTO f')).code).toBe(250);
    expect(await retrieve(ftp, 'RETR f')).toBe('hello, world.');
    await ftp.command('REST 7');
    expect(await retrieve(ftp, 'RETR f')).toBe('world.');
    expect(await retrieve(ftp, 'RETR f'), 'REST counts once').toBe('hello, world.');
    expect((await ftp.command('QUIT')).code).toBe(221);
    await ftp.closed();
    expect(await readdir(b.root.path)).toEqual(['f']);
    expect(b.ours.server.counters).toMatchObject({ filesReceived: 3, filesSent: 3, bytesReceived: 15 });
  });

  it('answers what it cannot do with a code, and goes on', async () => {
    await using b = await bed();
    await writeFile(b.root.file('f'), 'content');
    await mkdir(b.root.file('dir'));
    await promisify(execFile)('mkfifo', [b.root.file('fifo')]);
    using ftp = await b.session();
    const cases: readonly [string, number][] = [
      ['SIZE nothing', 550],
      ['SIZE dir', 550],
      ['SIZE', 553],
      ['XSHA256 fifo', 550],
      ['RNTO f', 503],
      ['RNFR nothing', 550],
      ['REST -1', 501],
      ['STOR f', 425],
      ['TYPE A', 504],
      ['AUTH TLS', 502],
      ['PORT 127,0,0,1,1,1', 502],
      ['EPRT |1|127.0.0.1|1|', 502],
      ['SITE CHMOD 777 f', 502],
      ['STOU f', 502],
      ['LIST', 502],
      ['MKD d', 502],
      ['DELE f', 502],
      ['constructor', 500],
      ['', 500],
      ['NOOP', 200],
    ];
    const answers: [string, number][] = [];
    for (const [command] of cases) answers.push([command, (await ftp.command(command)).code]);
    expect(answers).toEqual(cases);
    await ftp.command('REST 8');
    expect(await retrieve(ftp, 'RETR f'), 'beyond the end').toBe(554);
    await ftp.command('REST 8');
    expect(await store(ftp, 'STOR f', 'x'), 'beyond the end').toBe(554);
    expect(await store(ftp, 'STOR fifo', 'x')).toBe(550);
    expect(await readFile(b.root.file('f'), 'utf8')).toBe('content');
  });

  it('answers PASV with the address the client uses, or the one configured', async () => {
    await using b = await bed();
    using ftp = await b.session();
    expect((await ftp.command('PASV')).text).toMatch(/^227 .*\(127,0,0,1,\d+,\d+\)$/);
    await using other = await bed({ passiveHost: '192.0.2.7' });
    using otherFtp = await other.session();
    expect((await otherFtp.command('PASV')).text).toMatch(/\(192,0,2,7,\d+,\d+\)$/);
  });

  it('tells the caller who wants to log in, and does what it says', async () => {
    const logins: Login[] = [];
    await using readable = await TemporaryDirectory.create();
    await writeFile(readable.file('f'), 'content');
    await using b = await bed({
      tls: serverTls,
      authorize: async (login) => {
        logins.push(login);
        if (login.user === 'broken') throw new Error('the database is down');
        return login.user === 'reader' ? { root: readable.path, write: false } : undefined;
      },
    });
    using refused = await RawFtp.connect(b.ours.address, clientTls);
    expect((await refused.logIn('nobody', 'pw')).code).toBe(530);
    using broken = await RawFtp.connect(b.ours.address, clientTls);
    expect((await broken.logIn('broken', 'pw')).text).toBe('530 Login refused');
    using reader = await RawFtp.connect(b.ours.address, clientTls);
    expect((await reader.logIn('reader', 'pw')).code).toBe(230);
    expect(await retrieve(reader, 'RETR f')).toBe('content');
    expect(await store(reader, 'STOR f', 'x')).toBe(550);
    await reader.command('RNFR f');
    expect((await reader.command('RNTO g')).code).toBe(550);
    expect(await readdir(readable.path)).toEqual(['f']);

    const [first] = logins;
    expect(first).toMatchObject({ user: 'nobody', remoteAddress: '127.0.0.1' });
    expect(first?.password.reveal()).toBe('pw');
    expect(first?.certificate?.subject).toBe('CN=client');
    expect(first?.certificate && subjectUrisOf(first.certificate)).toEqual([]);
    expect(b.ours.server.counters).toMatchObject({ logins: 1, loginsRefused: 2 });
  });

  it('refuses clients without a certificate, of another authority, or without TLS', async () => {
    await using b = await bed({ tls: serverTls });
    for (const tls of [anonymousTls, outsiderTls]) {
      const socket = connectTls({ ...b.ours.address, ...tls, rejectUnauthorized: false });
      socket.on('error', () => undefined).resume();
      await closeOf(socket);
    }
    const plain = connect(b.ours.address);
    plain.on('error', () => undefined).resume();
    plain.write(`USER ${user}\r\n`);
    await closeOf(plain);
    expect(b.ours.server.counters).toMatchObject({ handshakesFailed: 3, logins: 0, sessions: 0 });
  });

  it('presents and demands other certificates after setTls, without cutting who is connected', async () => {
    await using b = await bed({ tls: serverTls });
    using before = await b.session();
    expect(await store(before, 'STOR f', 'before')).toBe(226);

    const renewed = await newTlsEnd('server renewed');
    b.ours.server.setTls(renewed);
    expect(await store(before, 'APPE f', ' and after')).toBe(226);
    using after = await b.session();
    expect(await retrieve(after, 'RETR f')).toBe('before and after');
    const socket = connectTls({ ...b.ours.address, ...clientTls });
    await once(socket, 'secureConnect');
    expect(socket.getPeerX509Certificate()?.subject).toBe('CN=server renewed');
    socket.destroy();
  });

  it('does not resume a TLS session made under earlier certificates', async () => {
    await using b = await bed({ tls: serverTls });
    const dial = (session?: Buffer) =>
      connectTls({ ...b.ours.address, ...clientTls, ...(session ? { session } : {}) });
    const isResumed = async (session: Buffer): Promise<boolean> => {
      const socket = dial(session);
      await once(socket, 'secureConnect');
      const reused = socket.isSessionReused();
      socket.destroy();
      return reused;
    };
    const first = dial();
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    expect(await isResumed(session)).toBe(true);
    b.ours.server.setTls(serverTls);
    expect(await isResumed(session)).toBe(false);
  });

  it('ends the sessions of a revoked user, transfers included, and only those', async () => {
    await using root = await TemporaryDirectory.create();
    await using b = await bed({ authorize: async () => ({ root: root.path, write: true }) });
    using revoked = await RawFtp.connect(b.ours.address);
    await revoked.logIn('revoked', 'pw');
    using other = await RawFtp.connect(b.ours.address);
    await other.logIn('other', 'pw');
    const data = await revoked.dataSocket(await revoked.passivePort());
    await revoked.command('STOR f.part');
    data.write('some');

    await b.ours.server.closeSessions('revoked');
    expect(await openFiles(process.pid, root.path)).toEqual([]);
    expect((await revoked.reply())?.code).toBe(421);
    await revoked.closed();
    expect((await other.command('NOOP')).code).toBe(200);
    expect(await readdir(root.path)).toEqual(['f.part']);
  });

  it('a revocation meets a login that is being decided', async () => {
    const asked = Promise.withResolvers<void>();
    const decided = Promise.withResolvers<void>();
    await using root = await TemporaryDirectory.create();
    await using b = await bed({
      authorize: async () => {
        asked.resolve();
        await decided.promise;
        return { root: root.path, write: true };
      },
    });
    using ftp = await RawFtp.connect(b.ours.address);
    ftp.socket.write('USER u\r\nPASS p\r\n');
    await asked.promise;
    const closing = b.ours.server.closeSessions('u');
    decided.resolve();
    await closing;
    await ftp.closed();
    expect(b.ours.server.counters).toMatchObject({ logins: 0, sessions: 0 });
  });

  it('stops though a login is never decided', async () => {
    const asked = Promise.withResolvers<void>();
    const b = await bed({
      authorize: () => {
        asked.resolve();
        return new Promise(() => undefined);
      },
    });
    using ftp = await RawFtp.connect(b.ours.address);
    ftp.socket.write('USER u\r\nPASS p\r\n');
    await asked.promise;
    await b[Symbol.asyncDispose]();
    expect([(await ftp.reply())?.code, (await ftp.reply())?.code]).toEqual([331, 421]);
    await ftp.closed();
  });

  it('lets a client that lost its session take its file over', async () => {
    await using b = await bed({ limits: { dataIdleTimeoutMs: 300_000 } });
    using lost = await b.session();
    const stalled = await lost.dataSocket(await lost.passivePort());
    await lost.command('STOR f.part');
    stalled.write('12345');
    await grown(b.root.file('f.part'), 5);
    using again = await b.session();
    expect((await again.command('SIZE f.part')).text).toBe('213 5');
    expect((await lost.reply())?.code, 'the earlier transfer ends').toBe(426);
    expect(await store(again, 'APPE f.part', '67')).toBe(226);
    expect(await readFile(b.root.file('f.part'), 'utf8')).toBe('1234567');
  });

  it('two that store the same file at once: one of them wins, whole', async () => {
    await using b = await bed();
    const contents = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(300_000));
    await Promise.all(
      contents.map(async (content) => {
        using ftp = await b.session();
        await store(ftp, 'STOR f', content);
      }),
    );
    expect(contents).toContain(await readFile(b.root.file('f'), 'utf8'));
  });

  it('does not follow a directory that was replaced by a link', async () => {
    await using outside = await TemporaryDirectory.create();
    await writeFile(outside.file('f'), 'secret');
    await using b = await bed();
    using ftp = await b.session();
    await rename(b.root.path, `${b.root.path}-moved`);
    await symlink(outside.path, b.root.path);
    expect(await retrieve(ftp, 'RETR f')).toBe(550);
    await unlink(b.root.path);
    await rename(`${b.root.path}-moved`, b.root.path);
  });

  it('takes no more bytes than a file may have', async () => {
    await using b = await bed({ limits: { fileBytesMax: 10 } });
    using ftp = await b.session();
    expect(await store(ftp, 'STOR f', '1234567890')).toBe(226);
    expect(await store(ftp, 'APPE f', 'x')).toBe(552);
    expect((await ftp.command('NOOP')).code).toBe(200);
  });

  it('ends a transfer in which nothing moves', async () => {
    await using b = await bed({ limits: { dataIdleTimeoutMs: 100 } });
    await writeFile(b.root.file('big'), Buffer.alloc(32 << 20));
    using ftp = await b.session();
    const upload = await ftp.dataSocket(await ftp.passivePort());
    expect((await ftp.command('STOR f')).code).toBe(150);
    expect((await ftp.reply())?.text).toBe('426 Data connection idle');
    upload.destroy();
    const download = await ftp.dataSocket(await ftp.passivePort());
    download.pause();
    expect((await ftp.command('RETR big')).code).toBe(150);
    expect((await ftp.reply())?.text).toBe('426 Data connection idle');
    expect(await closesFiles(process.pid, b.root.path, 1_000)).toBe(true);
  });

  it('answers 425 when no data connection comes', async () => {
    await using b = await bed({ limits: { dataConnectTimeoutMs: 50 } });
    using ftp = await b.session();
    await ftp.passivePort();
    expect((await ftp.command('STOR f')).text).toBe('425 No data connection');
    expect((await ftp.command('NOOP')).code).toBe(200);
  });

  it('drops data connections of strangers and still serves the client', async () => {
    await using b = await bed({ tls: serverTls });
    await writeFile(b.root.file('f'), 'content');
    using ftp = await b.session();
    const port = await ftp.passivePort();
    const stranger = await ftp.dataSocket(port, strangerTls);
    const silent = connect({ host: '127.0.0.1', port });
    const silentClosed = closeOf(silent);
    await Promise.all([closeOf(stranger.resume()), once(silent, 'connect')]);
    const data = await ftp.dataSocket(port);
    ftp.socket.write('RETR f\r\n');
    const [chunk] = (await once(data, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('content');
    await silentClosed;
  });
});

describe('the FTP server against clients that mean harm', () => {
  it('cuts off who does not log in, who is silent, and who never finishes a line', async () => {
    await using b = await bed({ limits: { loginTimeoutMs: 150, idleTimeoutMs: 150 } });
    using silent = await RawFtp.connect(b.ours.address);
    using dripping = await RawFtp.connect(b.ours.address);
    const drip = setInterval(() => dripping.socket.write('x'), 10);
    using loggedIn = await b.session();
    const slow = setInterval(() => loggedIn.socket.write('x'), 10);
    for (const ftp of [silent, dripping, loggedIn]) {
      expect((await ftp.reply())?.text).toBe('421 Timeout');
      await ftp.closed();
    }
    clearInterval(drip);
    clearInterval(slow);
  });

  it('cuts off who connects and never begins TLS', async () => {
    await using b = await bed({ tls: serverTls, limits: { handshakeTimeoutMs: 100, connectionsMax: 2 } });
    const silent = [connect(b.ours.address), connect(b.ours.address)];
    await Promise.all(silent.map((socket) => closeOf(socket.resume())));
    using ftp = await b.session();
    expect((await ftp.command('NOOP')).code).toBe(200);
  });

  it('holds no more connections and sessions than allowed', async () => {
    await using b = await bed({ limits: { connectionsMax: 3, sessionsMax: 1 } });
    using first = await b.session();
    using second = await RawFtp.connect(b.ours.address);
    expect((await second.logIn(user, password)).code).toBe(530);
    using _third = await RawFtp.connect(b.ours.address);
    await closeOf(connect(b.ours.address).resume());
    expect((await first.command('NOOP')).code).toBe(200);
  });

  it('lets nobody try many passwords', async () => {
    await using b = await bed({ limits: { loginAttemptsMax: 2 } });
    using ftp = await RawFtp.connect(b.ours.address);
    expect((await ftp.logIn(user, 'wrong')).code).toBe(530);
    expect((await ftp.command('PASS wrong')).code).toBe(530);
    expect((await ftp.reply())?.code).toBe(421);
    await ftp.closed();
  });

  it('cuts off who sends long lines, or many commands without reading answers', async () => {
    await using b = await bed();
    using long = await b.session();
    long.socket.write(`NOOP ${'x'.repeat(2_000)}\r\n`);
    expect((await long.reply())?.text).toBe('500 Line too long');
    await long.closed();
    using many = await b.session();
    many.socket.write('NOOP\r\n'.repeat(10_000));
    const codes = new Set<number | undefined>();
    for (let reply = await many.reply(); reply; reply = await many.reply()) codes.add(reply.code);
    expect(codes).toContain(421);
  });

  it('survives any bytes, before and after the login, in one packet or many', async () => {
    await using b = await bed({ limits: { loginTimeoutMs: 500, idleTimeoutMs: 500 } });
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), commandLine), { maxLength: 20 }),
        async (loggedIn, packets) => {
          using ftp = loggedIn ? await b.session() : await RawFtp.connect(b.ours.address);
          for (const packet of packets) ftp.socket.write(packet);
          ftp.socket.end();
          await ftp.closed();
          using next = await b.session();
          return (await next.command('NOOP')).code === 200;
        },
      ),
      { numRuns: 60 },
    );
    expect(await readdir(`${b.root.path}/..`)).toContain(b.root.path.split('/').at(-1));
    expect((await readdir(b.root.path)).filter((name) => !/^[a-z0-9][a-z0-9._-]*$/.test(name))).toEqual([]);
  });

  it('survives a TLS hello on a port without TLS', async () => {
    await using b = await bed();
    const socket = connectTls({ ...b.ours.address, ...clientTls });
    await expect(once(socket, 'secureConnect')).rejects.toBeInstanceOf(Error);
    using ftp = await b.session();
    expect((await ftp.command('NOOP')).code).toBe(200);
  });
});

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

const commandLine = fc
  .tuple(
    fc.constantFrom(
      'USER',
      'PASS',
      'STOR',
      'RETR',
      'APPE',
      'REST',
      'SIZE',
      'RNFR',
      'RNTO',
      'EPSV',
      'PASV',
      'OPTS',
    ),
    fc.constantFrom('', ' ', ' f', ' ../f', ' /etc/passwd', ' -1', ' "', ' \0', ' UTF8'),
    fc.constantFrom('\r\n', '\n', '', '\r'),
  )
  .map((parts) => Buffer.from(parts.join('')));
