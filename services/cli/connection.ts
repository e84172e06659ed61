import { HttpClient } from '../platform/http/client.ts';
import { Secret } from '../platform/logging/secret.ts';
import { readPem } from '../platform/tls/identity-files.ts';
import { readSiteFile } from '../site/config/read.ts';
import { formatAddress } from '../site/config/values.ts';
import { siteLayout } from '../site/layout.ts';
import { readSecret } from '../site/secrets.ts';

/**
 * The api a verb talks to, and the token it shows: DUALHOME_API and DUALHOME_TOKEN where set, else those of the site whose
 * site.yaml is named (its admin token).
 *
 * @throws SITE_CONFIG_UNREADABLE, SITE_CONFIG_INVALID, SITE_SECRETS_MISSING
 */
export async function openApi({ config: path }: { readonly config: string }): Promise<HttpClient> {
  const { DUALHOME_API: url, DUALHOME_TOKEN: token } = process.env;
  if (url !== undefined) {
    return new HttpClient({ baseUrl: url, ...(token === undefined ? {} : { token: new Secret(token) }) });
  }
  const { config, dataDir } = await readSiteFile(path);
  const { certificates, secrets } = siteLayout(dataDir);
  const { tls, listen } = config.api;
  return new HttpClient({
    baseUrl: `${tls ? 'https' : 'http'}://${formatAddress(reachable(listen))}`,
    token: await readSecret(secrets.token('admin')),
    ...(tls ? { authoritiesPem: [await readPem(certificates.authority)] } : {}),
  });
}

/** An api that listens on every address is reached on loopback. */
function reachable({ host, port }: { readonly host: string; readonly port: number }) {
  return { host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port };
}
