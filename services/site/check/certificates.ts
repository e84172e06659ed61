import { readFile } from 'node:fs/promises';
import { DualhomeError, isDualhomeError, messageOf } from '../../protocol/errors/index.ts';
import { siteUri } from '../../protocol/site-uri.ts';
import { Verifier } from '../../platform/crypto/signing.ts';
import { readPem } from '../../platform/tls/identity-files.ts';
import { parseCertificate, subjectUrisOf, verifyChain } from '../../platform/tls/inspect.ts';
import { siteLayout } from '../layout.ts';
import type { SiteLayout } from '../layout.ts';
import type { CheckContext, Finding } from './check.ts';

/** This site's certificate belongs to it and its authority; the peers' authorities and keys can be used. */
export async function certificateFaults({ file }: CheckContext): Promise<readonly Finding[]> {
  const { config, dataDir } = file;
  const layout = siteLayout(dataDir);
  const own = attempt(['site'], () => checkOwn(layout, config.site));
  const peers = config.peers.map(({ name }, index) =>
    attempt(['peers', index, 'name'], () => checkPeer(layout, name)),
  );
  return (await Promise.all([own, ...peers])).flat();
}

async function attempt(path: Finding['path'], check: () => Promise<void>): Promise<readonly Finding[]> {
  try {
    await check();
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error) }];
  }
}

/** One that has expired is no fault: the start issues another. */
async function checkOwn({ certificates }: SiteLayout, site: string): Promise<void> {
  const authority = parseCertificate(await readPem(certificates.authority));
  const own = parseCertificate(await readPem(certificates.own));
  try {
    verifyChain(own, [authority], Date.now());
  } catch (error) {
    if (!isDualhomeError(error, 'TLS_CERTIFICATE_EXPIRED') || hasExpired(authority)) throw error;
  }
  if (!subjectUrisOf(own).includes(siteUri(site))) {
    throw new DualhomeError('TLS_CERTIFICATE_INVALID', {
      detail: `${certificates.own} is not that of ${site}`,
    });
  }
}

async function checkPeer({ certificates }: SiteLayout, peer: string): Promise<void> {
  const path = certificates.peerAuthority(peer);
  if (hasExpired(parseCertificate(await readPem(path)))) {
    throw new DualhomeError('TLS_CERTIFICATE_EXPIRED', { detail: path });
  }
  void new Verifier(await readFile(certificates.peerSigningPublicKey(peer), 'utf8'));
}

function hasExpired({ validToDate }: ReturnType<typeof parseCertificate>): boolean {
  return validToDate.getTime() < Date.now();
}
