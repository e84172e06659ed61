import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { FtpServerAddress } from '../../services/platform/ftp/client/ftp-session.ts';
import { openLocalFile } from '../../services/platform/ftp/client/upload.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import type { CutKind } from '../support/tcp-proxy-lane.ts';
import { anonymousTls, outsiderTls, serverTls, startOurs } from '../support/ftp-bed.ts';
import { FtpNetwork, freePassivePort, ftpAddress, startOursInNetwork } from '../support/ftp-network.ts';
import { clientOf, contents, fileOf, never, sha256 } from '../support/ftp-transfers.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

describe('an FTP transfer', () => {
  it('moves files of all sizes both ways, several at a time, over as many sessions as allowed', async () => {
    await using root = await TemporaryDirectory.create();
    await using local = await TemporaryDirectory.create();
    await using ours = await startOurs(root.path, { tls: serverTls });
    await using client = clientOf(ftpAddress(ours.address, 'implicit'), { sessionsMax: 3 });
    const files = [0, 1, 1_000, 65_536, 1 << 20, 5_000_001].map((bytes, i) =>
      fileOf(`f${i}`, randomBytes(bytes)),
    );
    const progress: number[] = [];
    const onProgress = (bytes: number) => void progress.push(bytes);
    await Promise.all(files.map((file) => client.upload(file, { signal: never, onProgress })));
    const expected = Object.fromEntries(files.map(({ name, sha256 }) => [name, sha256]));
    expect(await contents(root.path)).toEqual(expected);
    expect(Math.max(...progress)).toBe(5_000_001);
    await Promise.all(
      files.map((file) => client.download({ ...file, path: local.file(file.name) }, { signal: never })),
    );
    expect(await contents(local.path)).toEqual(expected);
    expect(ours.server.counters).toMatchObject({ logins: 3, sessions: 3, transfersFailed: 0 });
  });

  it('continues a partial file that is a prefix, whoever left it, and no other', async () => {
    await using root = await TemporaryDirectory.create();
    await using ours = await startOurs(root.path);
    await using client = clientOf(ftpAddress(ours.address, 'plain'));
    const content = randomBytes(100_000);
    const cases: readonly [name: string, part: Buffer, sentBytes: number][] = [
      ['prefix', content.subarray(0, 60_000), 40_000],
      ['whole', content, 0],
      ['other', randomBytes(60_000), 100_000],
      ['longer', Buffer.concat([content, Buffer.from('x')]), 100_000],
    ];
    for (const [name, part, sentBytes] of cases) {
      await writeFile(root.file(`${name}.part`), part);
      const before = ours.server.counters.bytesReceived;
      await client.upload(fileOf(name, content), { signal: never });
      expect([name, ours.server.counters.bytesReceived - before]).toEqual([name, sentBytes]);
    }
    const names = ['longer', 'other', 'prefix', 'whole'];
    expect(await contents(root.path)).toEqual(
      Object.fromEntries(names.map((name) => [name, sha256(content)])),
    );
  });

  it('does not send again what is already there under its final name', async () => {
    await using root = await TemporaryDirectory.create();
    await using ours = await startOurs(root.path);
    await using client = clientOf(ftpAddress(ours.address, 'plain'));
    const content = randomBytes(1_000);
    await client.upload(fileOf('f', content), { signal: never });
    await client.upload(fileOf('f', content), { signal: never });
    expect(ours.server.counters.filesReceived).toBe(1);
    const other = randomBytes(1_000);
    await client.upload(fileOf('f', other), { signal: never });
    expect(await contents(root.path)).toEqual({ f: sha256(other) });
  });

  it('does not believe a 226 for fewer bytes than were to be sent', async () => {
    await using root = await TemporaryDirectory.create();
    await using ours = await startOurs(root.path);
    await using client = clientOf(ftpAddress(ours.address, 'plain'));
    const content = randomBytes(10_000);
    const starts: number[] = [];
    const open = (startByte: number) => {
      starts.push(startByte);
      return Readable.from([content.subarray(startByte, starts.length === 1 ? 4_000 : undefined)]);
    };
    await client.upload({ ...fileOf('f', content), open }, { signal: never });
    expect(starts.filter((start, i) => i === 0 || start > 0)).toEqual([0, 4_000]);
    expect(ours.server.counters).toMatchObject({ filesReceived: 2, transfersFailed: 0 });
    expect(await contents(root.path)).toEqual({ f: sha256(content) });
  });

  it('gives no final name to content that is not what it should be', async () => {
    await using root = await TemporaryDirectory.create();
    await using local = await TemporaryDirectory.create();
    await using ours = await startOurs(root.path);
    await using client = clientOf(ftpAddress(ours.address, 'plain'));
    const file = { ...fileOf('f', randomBytes(1_000)), sha256: sha256('something else') };
    await expect(client.upload(file, { signal: never })).rejects.toMatchObject({
      code: 'FTP_CONTENT_MISMATCH',
    });
    expect(await readdir(root.path)).toEqual(['f.part']);
    for (const bytes of [999, 1_000, 1_001]) {
      await writeFile(root.file('g'), randomBytes(bytes));
      const download = client.download({ ...file, name: 'g', path: local.file('g') }, { signal: never });
      const code = bytes < 1_000 ? 'FTP_TRANSFER_INCOMPLETE' : 'FTP_CONTENT_MISMATCH';
      await expect(download).rejects.toMatchObject({ code });
      expect(await readdir(local.path)).toEqual(bytes < 1_000 ? ['g.part'] : []);
    }
  });

  it('stops early when a server sends more than there should be', async () => {
    await using root = await TemporaryDirectory.create();
    await using local = await TemporaryDirectory.create();
    const server = await startOursInNetwork();
    await using _server = server;
    await writeFile(server.root.file('f'), Buffer.alloc(256 << 20));
    await using client = clientOf(server.network.address('plain'));
    server.network.data.throttle(4 << 20);
    const file = { name: 'f', bytes: 1_000, sha256: sha256(''), path: local.file('f') };
    await expect(client.download(file, { signal: never })).rejects.toMatchObject({
      code: 'FTP_CONTENT_MISMATCH',
    });
    expect(server.network.data.forwardedBytes('down')).toBeLessThan(16 << 20);
    expect(await readdir(root.path)).toEqual([]);
  });

  it('begins a download anew when what was there before is not its beginning', async () => {
    await using root = await TemporaryDirectory.create();
    await using local = await TemporaryDirectory.create();
    await using ours = await startOurs(root.path);
    await using client = clientOf(ftpAddress(ours.address, 'plain'));
    const content = randomBytes(100_000);
    await writeFile(root.file('f'), content);
    const file = { ...fileOf('f', content), path: local.file('f') };
    await writeFile(local.file('f.part'), content.subarray(0, 30_000));
    await client.download(file, { signal: never });
    expect(ours.server.counters.bytesSent).toBe(70_000);
    await writeFile(local.file('f.part'), randomBytes(30_000));
    await client.download(file, { signal: never });
    expect(await contents(local.path)).toEqual({ f: sha256(content) });
  });

  it('fails at once, with the reason, where trying again cannot help', async () => {
    await using root = await TemporaryDirectory.create();
    await using ours = await startOurs(root.path, { tls: serverTls, limits: { fileBytesMax: 10 } });
    const address = ftpAddress(ours.address, 'implicit');
    const file = fileOf('f', randomBytes(100));
    const attempt = async (server: FtpServerAddress, upload = file): Promise<unknown> => {
      await using client = clientOf(server);
      const codeOf = (error: unknown) => (error as { code: string }).code;
      return await client.upload(upload, { signal: never }).catch(codeOf);
    };
    const servername = 'localhost';
    expect(await attempt({ ...address, password: new Secret('wrong') })).toBe('FTP_LOGIN_REFUSED');
    expect(await attempt({ ...address, tls: { ca: anonymousTls.ca, servername } })).toBe('FTP_TLS_REFUSED');
    expect(await attempt({ ...address, tls: { ...address.tls, servername: 'other' } })).toBe(
      'FTP_TLS_REFUSED',
    );
    expect(await attempt({ ...address, tls: { ...address.tls, ca: outsiderTls.cert } })).toBe(
      'FTP_TLS_REFUSED',
    );
    expect(await attempt(address)).toBe('FTP_STORAGE_FULL');
    expect(await attempt(address, { ...file, name: 'Not A Name' })).toBe('FTP_NAME_INVALID');
    expect(await attempt(address, { ...file, open: openLocalFile(root.file('nothing')) })).toBe(
      'FTP_LOCAL_FILE',
    );
    expect(await attempt({ ...address, directory: 'elsewhere' })).toBe('FTP_COMMAND_REFUSED');
    expect(ours.server.counters).toMatchObject({ loginsRefused: 1 });
  });

  it('gives up after so many failures in a row', async () => {
    await using server = await startOursInNetwork();
    server.network.control.refuse();
    await using client = clientOf(server.network.address('plain'));
    const upload = client.upload(fileOf('f', randomBytes(10)), { signal: never });
    await expect(upload).rejects.toMatchObject({ code: 'FTP_UNREACHABLE' });
    await server.network.control.accepted(8);
  });

  it.each(['control', 'data'] as const)(
    'can be aborted while its %s connection is silent',
    async (channel) => {
      await using server = await startOursInNetwork({ tls: serverTls });
      const proxy = server.network[channel];
      await using client = clientOf(server.network.address('implicit'), { timeoutMs: 60_000 });
      const aborter = new AbortController();
      proxy.stall(['up']);
      const upload = client.upload(fileOf('f', randomBytes(1 << 20)), { signal: aborter.signal });
      await proxy.accepted(1);
      const reason = new Error('not wanted any more');
      aborter.abort(reason);
      await expect(upload).rejects.toBe(reason);
      expect(await readdir(server.root.path)).not.toContain('f');
    },
  );

  it('can be aborted while it waits for its turn', async () => {
    await using server = await startOursInNetwork();
    await using client = clientOf(server.network.address('plain'));
    server.network.data.stall();
    const first = client.upload(fileOf('first', randomBytes(1_000)), { signal: never });
    const aborter = new AbortController();
    const second = client.upload(fileOf('second', randomBytes(1_000)), { signal: aborter.signal });
    await server.network.data.accepted(1);
    const reason = new Error('not wanted any more');
    aborter.abort(reason);
    await expect(second).rejects.toBe(reason);
    server.network.data.resume();
    await first;
    await client.upload(fileOf('third', randomBytes(1_000)), { signal: never });
    expect((await readdir(server.root.path)).sort()).toEqual(['first', 'third']);
  });

  it('ends with its client, and leaves no session behind', async () => {
    await using server = await startOursInNetwork();
    const client = clientOf(server.network.address('plain'));
    server.network.data.throttle(100_000);
    const upload = client.upload(fileOf('f', randomBytes(1 << 20)), { signal: never });
    void upload.catch(() => undefined);
    await server.network.data.forwarded('up', 1_000);
    await client[Symbol.asyncDispose]();
    await expect(upload).rejects.toMatchObject({ name: 'AbortError' });
    await server.server.closeSessions('user');
    expect(server.server.counters.sessions).toBe(0);
  });
});

describe('an FTP transfer over a bad network', () => {
  const kinds: readonly CutKind[] = ['fin', 'rst'];

  it.each(kinds)(
    'is complete and identical though cut (%s) after every byte of a small file',
    async (kind) => {
      await using server = await startOursInNetwork();
      await using local = await TemporaryDirectory.create();
      await using client = clientOf(server.network.address('plain'));
      const content = randomBytes(32);
      for (let bytes = 0; bytes < content.length; bytes += 1) {
        const file = fileOf(`up-${bytes}`, content);
        server.network.data.cutAfter(bytes, 'up', kind);
        await client.upload(file, { signal: never });
        server.network.data.cutAfter(bytes, 'down', kind);
        await client.download({ ...file, path: local.file(file.name) }, { signal: never });
      }
      const digests = [
        ...Object.values(await contents(server.root.path)),
        ...Object.values(await contents(local.path)),
      ];
      expect(digests).toHaveLength(2 * content.length);
      expect(new Set(digests)).toEqual(new Set([sha256(content)]));
    },
  );

  it.each(kinds)(
    'is complete and identical though cut (%s) at many places of a larger file in TLS',
    async (kind) => {
      await using server = await startOursInNetwork({ tls: serverTls });
      await using local = await TemporaryDirectory.create();
      await using client = clientOf(server.network.address('implicit'));
      const content = randomBytes(300_000);
      const places = [0, 1, 5, 100, 517, 1_500, 16_384, 16_406, 70_000, 150_000, 262_144, 299_999, 300_100];
      for (const bytes of places) {
        const file = fileOf(`f-${bytes}`, content);
        server.network.data.cutAfter(bytes, 'up', kind);
        await client.upload(file, { signal: never });
        server.network.data.cutAfter(bytes, 'down', kind);
        await client.download({ ...file, path: local.file(file.name) }, { signal: never });
      }
      const digests = [
        ...Object.values(await contents(server.root.path)),
        ...Object.values(await contents(local.path)),
      ];
      expect(digests).toHaveLength(2 * places.length);
      expect(new Set(digests)).toEqual(new Set([sha256(content)]));
    },
  );

  it.each(kinds)(
    'is complete and identical though its control connection is cut (%s) anywhere',
    async (kind) => {
      await using server = await startOursInNetwork();
      await using local = await TemporaryDirectory.create();
      const content = randomBytes(1_000);
      const { control } = server.network;
      const lengths = { up: 0, down: 0 };
      {
        await using client = clientOf(server.network.address('plain'));
        await client.upload(fileOf('whole', content), { signal: never });
        for (const way of ['up', 'down'] as const) lengths[way] = control.forwardedBytes(way);
      }
      let count = 0;
      for (const way of ['up', 'down'] as const) {
        for (let bytes = 0; bytes < lengths[way]; bytes += 11) {
          await using client = clientOf(server.network.address('plain'));
          const file = fileOf(`${way}-${bytes}`, content);
          control.cutAfter(bytes, way, kind);
          await client.upload(file, { signal: never });
          await client.download({ ...file, path: local.file(file.name) }, { signal: never });
          count += 1;
        }
      }
      const stored = await contents(server.root.path);
      expect(Object.keys(stored)).toHaveLength(count + 1);
      expect(new Set(Object.values(stored))).toEqual(new Set([sha256(content)]));
      expect(new Set(Object.values(await contents(local.path)))).toEqual(new Set([sha256(content)]));
    },
  );

  it('survives any number of cuts in one file, as long as each attempt gains something', async () => {
    await using server = await startOursInNetwork({ tls: serverTls });
    await using client = clientOf(server.network.address('implicit'), { timeoutMs: 1_000 });
    const content = randomBytes(3_000_000);
    const { data } = server.network;
    const upload = client.upload(fileOf('f', content), { signal: never });
    for (let cuts = 1; cuts <= 15; cuts += 1) {
      data.cutAfter(150_000, 'up', cuts % 2 ? 'rst' : 'fin');
      await data.accepted(cuts + 1);
    }
    await upload;
    expect(await contents(server.root.path)).toEqual({ f: sha256(content) });
    expect(data.forwardedBytes('up'), 'it did not begin anew').toBeLessThan(2 * content.length);
  });

  it('goes on in a new session when the network goes silent, unharmed by bytes that come late', async () => {
    await using server = await startOursInNetwork();
    await using client = clientOf(server.network.address('plain'), { timeoutMs: 300 });
    const content = randomBytes(3_000_000);
    const { control, data } = server.network;
    data.throttle(20 << 20);
    const upload = client.upload(fileOf('f', content), { signal: never });
    await data.forwarded('up', 500_000);
    control.stall();
    data.stall();
    await control.accepted(2);
    control.resume();
    data.resume();
    await upload;
    expect(await contents(server.root.path)).toEqual({ f: sha256(content) });
  });

  it('understands replies that come in pieces', async () => {
    await using server = await startOursInNetwork();
    await using local = await TemporaryDirectory.create();
    await using client = clientOf(server.network.address('plain'), { timeoutMs: 1_000 });
    server.network.control.throttle(400, ['down']);
    const file = fileOf('f', randomBytes(300_000));
    await client.upload(file, { signal: never });
    await client.download({ ...file, path: local.file('f') }, { signal: never });
    expect(server.server.counters).toMatchObject({ logins: 1, filesReceived: 1, filesSent: 1 });
  });

  it('takes long over a slow network without failing', async () => {
    await using server = await startOursInNetwork({
      tls: serverTls,
      limits: { dataIdleTimeoutMs: 10_000, idleTimeoutMs: 1_000 },
    });
    await using client = clientOf(server.network.address('implicit'), { timeoutMs: 20_000 });
    server.network.data.throttle(40_000);
    server.network.control.delay(20);
    const content = randomBytes(100_000);
    await client.upload(fileOf('f', content), { signal: never });
    expect(await contents(server.root.path)).toEqual({ f: sha256(content) });
    expect(server.server.counters).toMatchObject({ logins: 1, transfersFailed: 0 });
  });
});

describe('an FTP transfer between processes that are killed', () => {
  const program = (name: string): string =>
    fileURLToPath(new URL(`../support/programs/${name}`, import.meta.url));

  it('a client killed in an upload leaves a partial file and no final name; the next goes on there', async () => {
    await using server = await startOursInNetwork({ tls: serverTls });
    await using local = await TemporaryDirectory.create();
    const content = randomBytes(4 << 20);
    await writeFile(local.file('f'), content);
    const { open: _open, ...file } = fileOf('f', content);
    const { password: _password, ...address } = server.network.address('implicit');
    server.network.data.throttle(10 << 20);
    const job = JSON.stringify({ server: address, file, path: local.file('f') });
    const killed = fork(program('ftp-upload.ts'), [job]);
    await server.network.data.forwarded('up', 1 << 20);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    await server.server.closeSessions('user');
    expect(await readdir(server.root.path)).toEqual(['f.part']);
    const { size } = await stat(server.root.file('f.part'));
    expect(size).toBeGreaterThan(500_000);
    expect(size).toBeLessThan(content.length);

    server.network.data.throttle(undefined);
    const before = server.server.counters.bytesReceived;
    const next = fork(program('ftp-upload.ts'), [job]);
    expect(await once(next, 'exit')).toEqual([0, null]);
    expect(server.server.counters.bytesReceived - before).toBe(content.length - size);
    expect(await contents(server.root.path)).toEqual({ f: sha256(content) });
  });

  it.each(['up', 'down'] as const)(
    'a server killed in a transfer (%s) is used again once it is back',
    async (way) => {
      await using root = await TemporaryDirectory.create();
      await using local = await TemporaryDirectory.create();
      const passivePort = await freePassivePort();
      const settings = {
        root: root.path,
        tls: serverTls,
        passivePorts: { min: passivePort, max: passivePort },
      };
      const serve = async () => {
        const child = fork(program('ftp-serve.ts'), [JSON.stringify(settings)]);
        const [{ port }] = (await once(child, 'message')) as [{ port: number }];
        return { port, kill: () => (child.kill('SIGKILL'), once(child, 'exit')) };
      };
      const first = await serve();
      await using network = await FtpNetwork.around({ host: '127.0.0.1', port: first.port }, passivePort);
      await using client = clientOf(network.address('implicit'), {
        retry: { attemptsMax: 1_000, backoff: { initialMs: 10, maxMs: 20, factor: 2, jitter: 0.5 } },
      });
      const content = randomBytes(4 << 20);
      const file = fileOf('f', content);
      if (way === 'down') await writeFile(root.file('f'), content);
      network.data.throttle(10 << 20);
      const transfer =
        way === 'up'
          ? client.upload(file, { signal: never })
          : client.download({ ...file, path: local.file('f') }, { signal: never });
      await network.data.forwarded(way, 1 << 20);
      await first.kill();
      network.data.throttle(undefined);
      const second = await serve();
      network.control.target = { host: '127.0.0.1', port: second.port };
      await transfer;
      expect(await contents(way === 'up' ? root.path : local.path)).toEqual({ f: sha256(content) });
      await second.kill();
    },
  );
});
