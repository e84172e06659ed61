/**
 * A row of Kamailio's `subscriber` table (auth_db) as a subscriber: `ha1` holds MD5 or, by its length, SHA-256. Columns
 * that mean nothing here are left out. The passwords are, too: what is needed of them is in `ha1`.
 */
export function subscriberOfKamailio(
  site: string,
  { username, domain, ha1 }: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const hash = typeof ha1 === 'string' && ha1 !== '' ? ha1.toLowerCase() : undefined;
  const user = typeof username === 'string' ? username : '';
  const host = typeof domain === 'string' ? domain.toLowerCase() : '';
  return {
    aor: `${user}@${host}`,
    home_site: site,
    ...(hash === undefined ? {} : hash.length === sha256Digits ? { ha1_sha256: hash } : { ha1_md5: hash }),
  };
}

const sha256Digits = 64;

/** Columns without which a table cannot be Kamailio's. */
export const kamailioColumns: readonly string[] = ['username', 'domain', 'ha1'];
