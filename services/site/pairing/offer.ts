import { z } from 'zod';
import { siteNameSchema } from '../../protocol/names.ts';
import { readPem } from '../../platform/tls/identity-files.ts';
import { advertisedAddress } from '../config/sip.ts';
import { addressText, formatAddress } from '../config/values.ts';
import type { SiteFile } from '../config/read.ts';
import { siteLayout } from '../layout.ts';
import { readSecret } from '../secrets.ts';

/** What a site tells its peer-to-be, over a session both trust; what a newer one tells beyond it is passed over. */
export const offerSchema = z.object({
  site: siteNameSchema,
  /** Where its link listens: host:port as peers reach it. */
  link: z.string().refine((text) => addressText.safeParse(text).success),
  /** Where its SIP front listens for TLS, as peers reach it; a site without telephony has none. */
  sip: z
    .string()
    .refine((text) => addressText.safeParse(text).success)
    .optional(),
  /** Its authority; only certificates issued by it are its own. */
  authorityPem: z.string().max(4_096),
  /** Its Ed25519 public key, which signs its manifests. */
  signingPublicKeyPem: z.string().max(1_024),
  /** With it the peer opens this site's sealed secrets when it takes over its devices. */
  sealingKeyHex: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Offer = z.infer<typeof offerSchema>;

/** This site's own offer. */
export async function ownOffer({ config, dataDir }: SiteFile): Promise<Offer> {
  const { certificates, secrets } = siteLayout(dataDir);
  const host = config.public_host.replace(/^\[|\]$/g, '');
  return {
    site: config.site,
    link: formatAddress({ host, port: config.link.listen.port }),
    ...(config.sip?.tls && { sip: formatAddress(advertisedAddress(config.sip.tls, config)) }),
    authorityPem: await readPem(certificates.authority),
    signingPublicKeyPem: await readPem(certificates.signingPublicKey),
    sealingKeyHex: (await readSecret(secrets.sealingKey)).reveal(),
  };
}
