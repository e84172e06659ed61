import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { CertificateStore } from '../../../services/platform/tls/certificate-store.ts';
import type { Credentials } from '../../../services/platform/tls/certificate-store.ts';
import { createAuthority, issueCertificate } from '../../../services/platform/tls/certificates.ts';
import type { Identity } from '../../../services/platform/tls/certificates.ts';
import { readIdentity, renewIfDue, writeIdentity } from '../../../services/platform/tls/identity-files.ts';
import { fingerprintOf, parseCertificate, subjectUrisOf } from '../../../services/platform/tls/inspect.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

const dayMs = 86_400_000;

/** One end of mutual TLS with an authority of its own; its files lie in a directory of its own. */
class Party implements AsyncDisposable {
  readonly name: string;
  readonly authority: Identity;
  readonly directory: TemporaryDirectory;
  readonly problems: unknown[] = [];
  readonly #stack = new AsyncDisposableStack();

  private constructor(name: string, authority: Identity, directory: TemporaryDirectory) {
    this.name = name;
    this.authority = authority;
    this.directory = this.#stack.use(directory);
  }

  static async create(name: string): Promise<Party> {
    const authority = await createAuthority({ name, days: 365 });
    const party = new Party(name, authority, await TemporaryDirectory.create());
    await party.renew();
    return party;
  }

  get subject() {
    return { name: this.name, uris: [`urn:example:party:${this.name}`], dnsNames: ['localhost'], days: 30 };
  }

  get files() {
    return {
      keyFile: this.directory.file('key.pem'),
      certificateFile: this.directory.file('certificate.pem'),
    };
  }

  async renew(): Promise<void> {
    await writeIdentity(this.files, await issueCertificate(this.authority, this.subject));
  }

  async trust(...peers: readonly Party[]): Promise<CertificateStore> {
    const authorityFiles = peers.map(({ name }) => this.directory.file(`authority-${name}.pem`));
    for (const [i, { authority }] of peers.entries())
      await writeFile(authorityFiles[i] ?? '', authority.certificatePem);
    const onProblem = (error: unknown): void => void this.problems.push(error);
    return this.#stack.use(await CertificateStore.open({ ...this.files, authorityFiles, onProblem }));
  }

  async listen(store: CertificateStore): Promise<Server> {
    const server = createServer({ ...store.current.options, requestCert: true, rejectUnauthorized: true });
    this.#stack.use(store.attach(server));
    server.on('secureConnection', (socket) => socket.on('error', () => undefined).pipe(socket));
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#stack.defer(() => void server.close());
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Connects and proves that bytes go both ways; with TLS 1.3 only that shows that the server accepted the client. */
async function dial(server: Server, { context }: Credentials): Promise<TLSSocket> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', secureContext: context });
  await echo(socket, 'hello');
  return socket;
}

/** A client that is turned away sees a finished handshake and then, without an alert, the end. */
async function echo(socket: TLSSocket, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.once('data', (bytes) => resolve(bytes.toString()));
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('turned away')));
  socket.write(text);
  expect(await promise).toBe(text);
}

const fingerprintSeen = (socket: TLSSocket) => socket.getPeerX509Certificate()?.fingerprint256;

const changed = (store: CertificateStore): Promise<Credentials> =>
  new Promise((resolve) => void store.onChange(resolve));

test('two parties with authorities of their own connect, and read the name of the other', async () => {
  await using a = await Party.create('a');
  await using b = await Party.create('b');
  const server = await a.listen(await a.trust(b));
  const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  await using socket = await dial(server, (await b.trust(a)).current);
  const [serverSide] = await accepted;
  const seen = [socket, serverSide].map((each) => each.getPeerX509Certificate());
  expect(seen.map((certificate) => certificate && subjectUrisOf(certificate))).toEqual([
    ['urn:example:party:a'],
    ['urn:example:party:b'],
  ]);
  expect(socket.getProtocol()).toBe('TLSv1.3');
});

test('a party whose authority is not trusted is turned away by either end', async () => {
  await using a = await Party.create('a');
  await using b = await Party.create('b');
  await using stranger = await Party.create('stranger');
  const server = await a.listen(await a.trust(b));
  await expect(dial(server, (await stranger.trust(a)).current)).rejects.toThrow(
    /turned away|ECONNRESET|EPIPE/,
  );
  await expect(dial(server, (await b.trust(stranger)).current)).rejects.toThrow(/unable to verify/);
});

test('a renewed certificate serves the next connection while the open one goes on', async () => {
  await using a = await Party.create('a');
  await using b = await Party.create('b');
  const serverStore = await a.trust(b);
  const clientStore = await b.trust(a);
  const server = await a.listen(serverStore);
  await using before = await dial(server, clientStore.current);

  const bothChanged = Promise.all([changed(serverStore), changed(clientStore)]);
  await Promise.all([a.renew(), b.renew()]);
  const [renewed] = await bothChanged;
  await using after = await dial(server, clientStore.current);

  expect(fingerprintSeen(after)).toBe(fingerprintOf(renewed.certificate));
  expect(fingerprintSeen(after)).not.toBe(fingerprintSeen(before));
  await echo(before, 'still here');
});

test('an authority that is replaced no longer admits, without a restart', async () => {
  await using a = await Party.create('a');
  await using b = await Party.create('b');
  await using c = await Party.create('c');
  const store = await a.trust(b);
  const server = await a.listen(store);
  await using _before = await dial(server, (await b.trust(a)).current);

  const change = changed(store);
  await writeFile(a.directory.file('authority-b.pem'), c.authority.certificatePem);
  await change;
  await expect(dial(server, (await b.trust(a)).current)).rejects.toThrow(/turned away|ECONNRESET|EPIPE/);
  await using _after = await dial(server, (await c.trust(a)).current);
});

test('a key without its certificate never replaces a good pair', async () => {
  await using a = await Party.create('a');
  const store = await a.trust(a);
  const good = store.current;
  const other = await issueCertificate(a.authority, a.subject);

  await writeFile(a.files.keyFile, other.privateKeyPem.reveal());
  await store.reload();
  expect(store.current).toBe(good);
  expect(a.problems).toContainEqual(expect.objectContaining({ code: 'TLS_CERTIFICATE_INVALID' }));

  await writeFile(a.files.certificateFile, other.certificatePem);
  await store.reload();
  expect(fingerprintOf(store.current.certificate)).toBe(
    fingerprintOf(parseCertificate(other.certificatePem)),
  );
});

test('files that are written again unchanged change nothing', async () => {
  await using a = await Party.create('a');
  const store = await a.trust(a);
  const good = store.current;
  await writeIdentity(a.files, await readIdentity(a.files));
  await store.reload();
  expect(store.current).toBe(good);
});

test('files that vanish leave the last good ones in use', async () => {
  await using a = await Party.create('a');
  const store = await a.trust(a);
  const good = store.current;
  await a.directory[Symbol.asyncDispose]();
  await store.reload();
  expect(store.current).toBe(good);
  expect(a.problems).toContainEqual(expect.objectContaining({ code: 'TLS_FILE_UNREADABLE' }));
});

test('a store does not open on files that cannot be used', async () => {
  await using a = await Party.create('a');
  await writeFile(a.files.certificateFile, 'nonsense');
  await expect(a.trust(a)).rejects.toThrow('TLS_CERTIFICATE_INVALID');
});

test('renewal happens in the last third of a life and not before', async () => {
  await using a = await Party.create('a');
  const renew = (afterDays: number) =>
    renewIfDue(a.files, a.authority, a.subject, Date.now() + afterDays * dayMs);
  const store = await a.trust(a);
  const old = store.current.certificate;
  expect(await renew(19)).toBe(false);
  expect(await renew(21)).toBe(true);
  await store.reload();
  expect(fingerprintOf(store.current.certificate)).not.toBe(fingerprintOf(old));
});
