import { rm } from 'node:fs/promises';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { fileModes, writeFileAtomic } from '../../platform/files/write-atomic.ts';
import { Secret } from '../../platform/logging/secret.ts';
import { YamlDocument } from '../../platform/yaml/document.ts';
import { inspectSiteConfig, readSiteFile, readSiteText } from '../config/read.ts';
import type { SiteFile } from '../config/read.ts';
import { siteLayout } from '../layout.ts';
import { writeSecret } from '../secrets.ts';
import type { Offer } from './offer.ts';

/** Which copies are kept, seen from one side; both in a pair, one of them in a ring. */
export type Direction = { readonly sends: boolean; readonly receives: boolean };

/** The same direction seen from the other side. */
export function mirrored({ sends, receives }: Direction): Direction {
  return { sends: receives, receives: sends };
}

/**
 * Makes a site known here: its keys beside ours, then its entry in site.yaml, whose comments stay. A running site takes
 * it up by itself. The same peer with the same authority may be recorded again.
 *
 * @throws PAIRING_REFUSED
 */
export async function recordPeer(
  { path }: SiteFile,
  offer: Offer,
  { sends, receives }: Direction,
): Promise<void> {
  const file = await readSiteFile(path);
  await refuseStranger(file, offer);
  const { certificates, secrets } = siteLayout(file.dataDir);
  await writeFileAtomic(certificates.peerAuthority(offer.site), offer.authorityPem);
  await writeFileAtomic(certificates.peerSigningPublicKey(offer.site), offer.signingPublicKeyPem);
  await writeSecret(secrets.peerSealingKey(offer.site), new Secret(offer.sealingKeyHex));

  const document = new YamlDocument(await readSiteText(path));
  const index = file.config.peers.findIndex(({ name }) => name === offer.site);
  if (index >= 0) document.delete(['peers', index]);
  document.append(['peers'], {
    name: offer.site,
    link: offer.link,
    ...(offer.sip !== undefined && { sip: offer.sip }),
    ...(sends ? {} : { sends }),
    ...(receives ? {} : { receives }),
  });
  await writeConfig(path, document);
}

/** Takes a peer out of site.yaml and removes its keys. Its standby database stays on disk. @throws PAIRING_PEER_UNKNOWN */
export async function removePeer({ path }: SiteFile, peer: string): Promise<void> {
  const { config, dataDir } = await readSiteFile(path);
  const index = config.peers.findIndex(({ name }) => name === peer);
  if (index < 0) throw new DualhomeError('PAIRING_PEER_UNKNOWN', { detail: peer, facts: { peer } });
  const document = new YamlDocument(await readSiteText(path));
  document.delete(['peers', index]);
  await writeConfig(path, document);
  const { certificates, secrets } = siteLayout(dataDir);
  const files = [
    certificates.peerAuthority,
    certificates.peerSigningPublicKey,
    secrets.peerSealingKey,
    secrets.peerSipTokenKey,
  ];
  for (const fileOf of files) await rm(fileOf(peer), { force: true });
}

/** A site of this name with another authority is another site. */
async function refuseStranger({ config, dataDir }: SiteFile, offer: Offer): Promise<void> {
  if (offer.site === config.site) {
    throw new DualhomeError('PAIRING_REFUSED', { detail: `both sites are called ${offer.site}` });
  }
  if (!config.peers.some(({ name }) => name === offer.site)) return;
  const known = await readSiteText(siteLayout(dataDir).certificates.peerAuthority(offer.site));
  if (known === offer.authorityPem) return;
  throw new DualhomeError('PAIRING_REFUSED', {
    detail: `another site called ${offer.site} is a peer already; remove it first (dualhome pair remove ${offer.site})`,
  });
}

async function writeConfig(path: string, document: YamlDocument): Promise<void> {
  const text = document.toString();
  const inspection = inspectSiteConfig(text);
  if ('faults' in inspection) {
    throw new DualhomeError('PAIRING_REFUSED', {
      detail: `site.yaml would not be valid any more: ${inspection.faults.map(({ message }) => message).join('; ')}`,
    });
  }
  await writeFileAtomic(path, text, { mode: fileModes.private });
}
