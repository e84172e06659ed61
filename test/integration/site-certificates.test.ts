import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../services/platform/tls/inspect.ts';
import { isNamedFor, renewCertificate } from '../../services/site/certificates.ts';
import { checkSite } from '../../services/site/check/check.ts';
import { initSite } from '../../services/site/init.ts';
import { siteLayout } from '../../services/site/layout.ts';
import { takePortBlock } from '../../services/site/port-block.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const dayMs = 86_400_000;

describe("a site's certificate", () => {
  it('is renewed in the last third of its life, for another host, and when it is gone; else it stays', async () => {
    await using directory = await TemporaryDirectory.create();
    await using ports = await takePortBlock();
    const host = '127.0.0.1';
    const file = await initSite(join(directory.path, 'c1'), {
      site: 'c1',
      publicHost: host,
      listenHost: host,
      firstPort: ports.first,
    });
    const layout = siteLayout(file.dataDir);
    const certificate = async () => parseCertificate(await readFile(layout.certificates.own, 'utf8'));
    const renew = (publicHost: string, afterDays: number) =>
      renewCertificate(layout, 'c1', publicHost, Date.now() + afterDays * dayMs);

    const first = await certificate();
    expect(await renew(host, 50)).toBe(false);
    expect((await certificate()).serialNumber).toBe(first.serialNumber);
    expect(await renew(host, 61)).toBe(true);
    const second = await certificate();
    expect(second.serialNumber).not.toBe(first.serialNumber);

    expect(await renew('c1.example.net', 0)).toBe(true);
    expect(isNamedFor(await certificate(), 'c1.example.net')).toBe(true);
    expect(isNamedFor(second, 'c1.example.net')).toBe(false);

    await rm(layout.certificates.own);
    expect(await renew(host, 0)).toBe(true);
    expect(await checkSite(file.path)).toEqual([]);
  });
});
