import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { CertificateStore } from '../../services/platform/tls/certificate-store.ts';
import type { SynchronizerContext } from '../../services/synchronizer/ports.ts';
import { openReception } from '../../services/synchronizer/transfers/reception.ts';
import { serverTls, silentLog } from '../support/ftp-bed.ts';
import { contents, never, sha256 } from '../support/ftp-transfers.ts';
import { expectSame, SyncPair } from '../support/sync-pair.ts';
import type { SyncSite } from '../support/sync-pair.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { startVsftpd, vsftpdMissing } from '../support/vsftpd.ts';
import type { Vsftpd } from '../support/vsftpd.ts';

/** Has a site receive its snapshots over this server. */
async function nameServer(site: SyncSite, { address }: Vsftpd, password = address.password): Promise<void> {
  await writeFile(site.file('ftp.password'), `${password.reveal()}\n`);
  await writeFile(site.file('ftp-ca.pem'), serverTls.ca);
  const { host, port, security, user, directory } = address;
  const files = { passwordFile: site.file('ftp.password'), caFile: site.file('ftp-ca.pem') };
  const server = { address: { host, port }, security, user, directory, ...files };
  site.config = { ...site.config, ftp: { ...site.config.ftp, server } };
}

async function startPair(vsftpd: Vsftpd): Promise<SyncPair> {
  const pair = await SyncPair.create();
  await nameServer(pair.c1, vsftpd);
  await nameServer(pair.c2, vsftpd);
  await Promise.all([pair.c1.start(), pair.c2.start()]);
  await Promise.all([pair.c1.linkIs('up'), pair.c2.linkIs('up')]);
  return pair;
}

/** What receiving takes of a synchronizer that is not started. */
async function contextOf({ config }: SyncSite): Promise<SynchronizerContext> {
  const { keyFile, certFile } = config.certificate;
  const certificates = await CertificateStore.open({
    keyFile,
    certificateFile: certFile,
    authorityFiles: [],
    onProblem: () => undefined,
  });
  return { config, certificates, log: silentLog } as unknown as SynchronizerContext;
}

describe('snapshots over an FTP server of the operator', () => {
  beforeEach(({ skip }) => skip(vsftpdMissing !== undefined, vsftpdMissing));

  it.each(['explicit', 'implicit', 'plain'] as const)(
    'go both ways and leave nothing there (%s)',
    async (security) => {
      await using vsftpd = await startVsftpd(security, { clientCertificates: false });
      await using pair = await startPair(vsftpd);
      const { c1, c2 } = pair;
      await Promise.all([c1.append(2_000), c2.append(1_000)]);
      const bootstrap = await c1.ended(await c1.request('bootstrap'));
      expect(bootstrap).toMatchObject({ state: 'done', error: null });
      expect(vsftpd.network.data.forwardedBytes('up')).toBeGreaterThan(5_000);
      expect(vsftpd.network.data.forwardedBytes('down')).toBeGreaterThan(5_000);
      await expectSame(c1.home, c2.standby);
      await expectSame(c2.home, c1.standby);
      await expect.poll(() => readdir(vsftpd.directory)).toEqual([]);
      const plain = expect.stringContaining('plain FTP');
      expect((await c1.status()).warnings).toEqual(security === 'plain' ? [plain] : []);
    },
  );

  it('are checked after they were fetched, and a file that was altered there is not taken', async () => {
    await using vsftpd = await startVsftpd('explicit', { clientCertificates: false });
    await using pair = await SyncPair.create();
    await using local = await TemporaryDirectory.create();
    await nameServer(pair.c2, vsftpd);
    await writeFile(
      `${vsftpd.directory}/dualhome-c2-older.domains.000000.zst.part`,
      'left by a run that was killed',
    );
    await using reception = await openReception(await contextOf(pair.c2));
    const content = randomBytes(50_000);
    const digest = {
      table: 'domains',
      index: 0,
      rows: 1,
      rawBytes: 1,
      storedBytes: content.length,
      sha256: sha256(content),
    };
    {
      await using landing = await reception.land('c1', 'some-transfer', local.path);
      expect(await readdir(vsftpd.directory)).toEqual([]);
      const there = `${vsftpd.directory}/${landing.offer.prefix}domains.000000.zst`;
      const altered = Buffer.from(content);
      altered[40_000] = 1 + (altered[40_000] ?? 0);
      await writeFile(there, altered);
      await expect(landing.fetch(digest, never)).rejects.toMatchObject({ code: 'TRANSFER_CHUNK_BROKEN' });
      expect(await readdir(local.path)).toEqual([]);
      await writeFile(there, content);
      await landing.fetch(digest, never);
      expect(await contents(local.path)).toEqual({ 'domains.000000.zst': sha256(content) });
    }
    expect(await readdir(vsftpd.directory)).toEqual([]);
  });

  it('tell an operator when the login there is refused', async () => {
    await using vsftpd = await startVsftpd('plain');
    await using pair = await startPair(vsftpd);
    const { c1, c2 } = pair;
    await c1.append(10);
    const { server } = c2.config.ftp;
    await c2.stop();
    c2.config = {
      ...c2.config,
      ftp: { ...c2.config.ftp, server: server && { ...server, user: 'nobody-here' } },
    };
    await c2.start();
    await c2.linkIs('up');
    const job = await c1.ended(await c1.request('resync'));
    expect(job).toMatchObject({ state: 'failed', error: { code: 'FTP_LOGIN_REFUSED' } });
  });
});
