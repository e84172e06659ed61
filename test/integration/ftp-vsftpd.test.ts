import { randomBytes } from 'node:crypto';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { clientOf, fileOf, never, sha256 } from '../support/ftp-transfers.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { startVsftpd, vsftpdMissing } from '../support/vsftpd.ts';

const securities = ['plain', 'explicit', 'implicit'] as const;

describe('the FTP client with vsftpd, which tells no digests', () => {
  beforeEach(({ skip }) => skip(vsftpdMissing !== undefined, vsftpdMissing));

  it.each(securities)(
    'moves files both ways (%s), in TLS with certificates on both ends',
    async (security) => {
      await using vsftpd = await startVsftpd(security);
      await using local = await TemporaryDirectory.create();
      await using client = clientOf(vsftpd.address, { sessionsMax: 2 });
      // It refuses the data connection of an empty file in TLS.
      const files = [security === 'plain' ? 0 : 1, 10, 1_000_000].map((bytes, i) =>
        fileOf(`f${i}`, randomBytes(bytes)),
      );
      for (const file of files) {
        await client.upload(file, { signal: never });
        await client.download({ ...file, path: local.file(file.name) }, { signal: never });
        for (const directory of [vsftpd.directory, local.path]) {
          expect(sha256(await readFile(`${directory}/${file.name}`))).toBe(file.sha256);
        }
      }
      expect(await readdir(vsftpd.directory)).toEqual(['f0', 'f1', 'f2']);
    },
  );

  it.each(securities)('resumes after cuts (%s)', async (security) => {
    await using vsftpd = await startVsftpd(security);
    await using local = await TemporaryDirectory.create();
    await using client = clientOf(vsftpd.address);
    const content = randomBytes(600_000);
    const { data } = vsftpd.network;
    for (const [i, bytes] of [0, 1, 600, 20_000, 300_000, 599_999].entries()) {
      const file = fileOf(`f${bytes}`, content);
      const sentBefore = data.forwardedBytes('up');
      data.cutAfter(bytes, 'up', i % 2 ? 'fin' : 'rst');
      await client.upload(file, { signal: never });
      expect(data.forwardedBytes('up') - sentBefore).toBeLessThan(content.length * 1.6);
      expect(sha256(await readFile(`${vsftpd.directory}/${file.name}`))).toBe(sha256(content));
      data.cutAfter(bytes, 'down', i % 2 ? 'rst' : 'fin');
      await client.download({ ...file, path: local.file(file.name) }, { signal: never });
      expect(sha256(await readFile(local.file(file.name)))).toBe(sha256(content));
    }
  });

  it('does not continue a partial file it did not begin itself', async () => {
    await using vsftpd = await startVsftpd('plain');
    await using client = clientOf(vsftpd.address);
    const content = randomBytes(100_000);
    await writeFile(`${vsftpd.directory}/f.part`, randomBytes(50_000));
    await client.upload(fileOf('f', content), { signal: never });
    expect(sha256(await readFile(`${vsftpd.directory}/f`))).toBe(sha256(content));
    await expect(stat(`${vsftpd.directory}/f.part`)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
