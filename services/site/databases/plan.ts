import { hash } from 'node:crypto';
import { underscored } from '../../protocol/names.ts';
import type { SiteConfig } from '../config/schema.ts';
import type { DatabaseProgram } from './grants.ts';

/** What a database is for; it decides its schema and who may do what in it. */
export type DatabaseKind = 'home' | 'shared' | 'standby';

/** One database of a site. */
export type PlannedDatabase = {
  /** `home`, `shared`, `standby_c2`: its name where it is embedded, and the name of its directory. */
  readonly name: string;
  readonly kind: DatabaseKind;
  /** Whose copies it holds: a standby of its one peer, `shared` (registrations) of every one, home of none. */
  readonly peers: readonly string[];
  /** URL of a database of the operator's; undefined for an embedded one. */
  readonly url?: string | undefined;
};

/** Every database the configuration asks for: home and shared, and a standby for each peer that is copied here. */
export function plannedDatabases({ postgres, peers }: SiteConfig): readonly PlannedDatabase[] {
  return [
    { name: 'home', kind: 'home', peers: [], url: urlOf(postgres.home) },
    {
      name: 'shared',
      kind: 'shared',
      peers: peers.map(({ name }) => name),
      url: urlOf(postgres.shared),
    },
    ...peers
      .filter(({ receives }) => receives)
      .map(({ name, standby }) => ({
        name: standbyName(name),
        kind: 'standby' as const,
        peers: [name],
        url: urlOf(standby),
      })),
  ];
}

export function standbyName(peer: string): string {
  return `standby_${underscored(peer)}`;
}

/** Bytes of a name in PostgreSQL. */
const nameMax = 63;

const roleOf: Readonly<Record<DatabaseProgram, string>> = {
  api: 'api',
  synchronizer: 'synchronizer',
  front: 'front',
  homeProcessor: 'home',
  standbyProcessor: 'standby',
};

/**
 * Of a program at a site: `dualhome_c1_api`, the same in each of its databases. Each peer's standby processor has its
 * own: `dualhome_c1_standby_c2`.
 */
export function roleName(site: string, program: DatabaseProgram, peer?: string): string {
  const name = ['dualhome', site, roleOf[program], ...(peer === undefined ? [] : [peer])]
    .map(underscored)
    .join('_');
  if (name.length <= nameMax) return name;
  return `${name.slice(0, nameMax - 9)}_${hash('sha256', name).slice(0, 8)}`;
}

function urlOf(text: string): string | undefined {
  return text === 'embedded' ? undefined : text;
}
