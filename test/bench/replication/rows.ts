import type { Queryable } from '../../../services/platform/postgres/statement.ts';

export const aorOf = (n: number): string => `user${String(n).padStart(7, '0')}@c1.example`;

/**
 * Fills `subscribers` with rows 1..count as a provisioning system would have: sealed credentials,
 * class of service, where the user dials from. The same rows for every system measured.
 */
export async function fillSubscribers(database: Queryable, count: number): Promise<void> {
  await database.query(
    `insert into subscribers (aor, display_name, ha1_md5, home_site, backup_site, class_of_service,
                              area_code, country_code, time_zone, seq)
     select 'user' || lpad(n::text, 7, '0') || '@c1.example', 'User ' || n,
            'k1.' || encode(sha256(n::text::bytea), 'base64') || 'xxxxxxxxxxxxxxxx',
            'c1', 'c2', '["local","national"]', '30', '49', 'Europe/Berlin', 1
     from generate_series(1, $1::integer) as n`,
    [count],
  );
}
