import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { checkSite } from '../../services/site/check/check.ts';
import { readSiteFile } from '../../services/site/config/read.ts';
import type { SiteFile } from '../../services/site/config/read.ts';
import { initSite } from '../../services/site/init.ts';
import { siteLayout } from '../../services/site/layout.ts';
import { openInvitation } from '../../services/site/pairing/invite.ts';
import type { OpenInvitation } from '../../services/site/pairing/invite.ts';
import { joinInvitation } from '../../services/site/pairing/join.ts';
import { removePeer } from '../../services/site/pairing/peers.ts';
import type { Direction } from '../../services/site/pairing/peers.ts';
import { takePortBlock } from '../../services/site/port-block.ts';
import { decodeToken, encodeToken } from '../../services/site/pairing/token.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

/** Sites on disk, each with ports of its own. */
class Sites implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  #directory: TemporaryDirectory | undefined;

  async make(site: string): Promise<SiteFile> {
    this.#directory ??= this.#stack.use(await TemporaryDirectory.create());
    const { first } = this.#stack.use(await takePortBlock());
    const host = '127.0.0.1';
    return initSite(join(this.#directory.path, `${site}-${first}`), {
      site,
      publicHost: host,
      listenHost: host,
      firstPort: first,
    });
  }

  async invite(
    file: SiteFile,
    direction: Direction = { sends: true, receives: true },
  ): Promise<OpenInvitation> {
    const log = createLogger({ program: 'test', level: 'silent' });
    return this.#stack.use(await openInvitation(file, { direction, validForMs: 60_000, log }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const never = new AbortController().signal;
const peersOf = async ({ path }: SiteFile) => (await readSiteFile(path)).config.peers;

describe('pairing', () => {
  it('tells each site everything of the other, keeps comments, and passes the check', async () => {
    await using sites = new Sites();
    const [c1, c2] = [await sites.make('c1'), await sites.make('c2')];
    const invitation = await sites.invite(c1);
    const joined = await joinInvitation(c2, invitation.token);
    expect(joined).toEqual({ peer: 'c1', direction: { sends: true, receives: true } });
    expect(await invitation.joined(never)).toBe('c2');

    const { link, sip } = c2.config;
    expect(await peersOf(c1)).toMatchObject([{ name: 'c2', link: link.listen, sip: sip?.tls?.listen }]);
    expect(await peersOf(c2)).toMatchObject([{ name: 'c1', link: c1.config.link.listen }]);
    const [one, two] = [siteLayout(c1.dataDir), siteLayout(c2.dataDir)];
    for (const [theirs, ours] of [
      [one.certificates.peerAuthority('c2'), two.certificates.authority],
      [one.certificates.peerSigningPublicKey('c2'), two.certificates.signingPublicKey],
      [one.secrets.peerSealingKey('c2'), two.secrets.sealingKey],
      [two.secrets.peerSealingKey('c1'), one.secrets.sealingKey],
    ] as const) {
      expect(await readFile(theirs, 'utf8')).toBe(await readFile(ours, 'utf8'));
    }
    expect(await readFile(c1.path, 'utf8')).toContain('# The HTTP API.');
    expect(await checkSite(c2.path)).toEqual([]);
  });

  it('is for one site only, which may repeat itself', async () => {
    await using sites = new Sites();
    const [c1, c2, c3] = [await sites.make('c1'), await sites.make('c2'), await sites.make('c3')];
    const { token } = await sites.invite(c1);
    await joinInvitation(c2, token);
    await joinInvitation(c2, token);
    await expect(joinInvitation(c3, token)).rejects.toThrow('PAIRING_REFUSED');
    expect(await peersOf(c1)).toHaveLength(1);
    expect(await peersOf(c3)).toEqual([]);
  });

  it('gives a ring of three one direction each', async () => {
    await using sites = new Sites();
    const ring = [await sites.make('c1'), await sites.make('c2'), await sites.make('c3')] as const;
    for (const [index, site] of ring.entries()) {
      const next = ring[(index + 1) % ring.length] ?? site;
      const { token } = await sites.invite(site, { sends: true, receives: false });
      await joinInvitation(next, token);
    }
    expect(await peersOf(ring[0])).toMatchObject([
      { name: 'c2', sends: true, receives: false },
      { name: 'c3', sends: false, receives: true },
    ]);
    for (const { path } of ring) expect(await checkSite(path)).toEqual([]);
  });

  it('refuses a second site of the same name, and one of our own name', async () => {
    await using sites = new Sites();
    const [c1, c2, other, self] = [
      await sites.make('c1'),
      await sites.make('c2'),
      await sites.make('c2'),
      await sites.make('c1'),
    ];
    const first = await sites.invite(c1);
    await joinInvitation(c2, first.token);
    await first[Symbol.asyncDispose]();
    const second = await sites.invite(c1);
    await expect(joinInvitation(other, second.token)).rejects.toThrow(
      'another site called c2 is a peer already',
    );
    await second[Symbol.asyncDispose]();
    await expect(joinInvitation(self, (await sites.invite(c1)).token)).rejects.toThrow('PAIRING_REFUSED');
  });

  it('sends nothing to one who answers without the certificate of the site that invited', async () => {
    await using sites = new Sites();
    const [c1, c2, impostor] = [await sites.make('c1'), await sites.make('c2'), await sites.make('c3')];
    const genuine = await sites.invite(c1);
    const false_ = await sites.invite(impostor);
    const redirected = encodeToken({ ...decodeToken(genuine.token), at: decodeToken(false_.token).at });
    await expect(joinInvitation(c2, redirected)).rejects.toThrow('PAIRING_IMPOSTOR');
  });

  it('is refused to one who does not know the secret, and after its time', async () => {
    await using sites = new Sites();
    const [c1, c2] = [await sites.make('c1'), await sites.make('c2')];
    const { token } = await sites.invite(c1);
    const guessed = encodeToken({ ...decodeToken(token), secret: new Secret('00'.repeat(32)) });
    await expect(joinInvitation(c2, guessed)).rejects.toThrow('PAIRING_EXPIRED');
    const late = encodeToken({ ...decodeToken(token), expiresMs: Date.now() - 1_000 });
    await expect(joinInvitation(c2, late)).rejects.toThrow('PAIRING_EXPIRED');
    expect(await peersOf(c1)).toEqual([]);
  });

  it('can be undone', async () => {
    await using sites = new Sites();
    const [c1, c2] = [await sites.make('c1'), await sites.make('c2')];
    await joinInvitation(c2, (await sites.invite(c1)).token);
    await removePeer(c1, 'c2');
    expect(await peersOf(c1)).toEqual([]);
    expect(await checkSite(c1.path)).toEqual([]);
    await expect(removePeer(c1, 'c2')).rejects.toThrow('PAIRING_PEER_UNKNOWN');
  });
});

describe('the check of a site', () => {
  it('finds everything that is wrong on this machine, by line', async () => {
    await using sites = new Sites();
    const [c1, c2] = [await sites.make('c1'), await sites.make('c2')];
    await joinInvitation(c2, (await sites.invite(c1)).token);
    const text = await readFile(c1.path, 'utf8');
    const { port } = c2.config.pairing.listen;
    await sites.invite(c2);
    await writeFile(
      c1.path,
      text
        .replace('# postgres:', `postgres:\n  home: postgres://a:b@127.0.0.1:${port}/home`)
        .replace('  # server:', '  server:\n    address: ftp.example:21\n    user: u\n    password_file: p')
        .replace('# limits:', 'limits:\n  disk_free_mb_min: 999999999')
        .replace(/(api:[^]*?listen: 127.0.0.1:)[0-9]+/, `$1${port}`),
    );
    const layout = siteLayout(c1.dataDir);
    await writeFile(layout.certificates.peerAuthority('c2'), 'nothing');
    await writeFile(layout.secrets.signingKey, 'x', { mode: 0o644 });
    await chmod(layout.secrets.signingKey, 0o644);
    await rm(layout.secrets.sealingKey);

    const faults = await checkSite(c1.path);
    const lines = (await readFile(c1.path, 'utf8')).split('\n');
    const found = faults.map(({ key, line, message }) => ({ key, at: lines[line - 1]?.trim(), message }));
    expect(found).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          key: 'postgres.home',
          message: expect.stringContaining('POSTGRES_UNREACHABLE'),
        }),
        expect.objectContaining({
          key: 'api.listen',
          message: expect.stringContaining('another program listens'),
        }),
        expect.objectContaining({ key: 'limits.disk_free_mb_min', at: 'disk_free_mb_min: 999999999' }),
        expect.objectContaining({ key: 'ftp.server.password_file', at: 'password_file: p' }),
        expect.objectContaining({
          key: 'peers[0].name',
          message: expect.stringContaining('TLS_CERTIFICATE_INVALID'),
        }),
        expect.objectContaining({
          key: 'data_dir',
          message: expect.stringContaining('can be read by others'),
        }),
        expect.objectContaining({
          key: 'data_dir',
          message: expect.stringContaining('sealing.key is missing'),
        }),
      ]),
    );
  });
});
