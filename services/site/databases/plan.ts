import type { SiteConfig } from '../config/schema.ts';

/** What a database is for; it decides its schema and who may do what in it. */
export type DatabaseKind = 'home' | 'shared' | 'standby';

/** One database of a site. */
export type PlannedDatabase = {
  /** `home`, `shared`, `standby_c2`: its name where it is embedded, and the name of its directory. */
  readonly name: string;
  readonly kind: DatabaseKind;
  /** Whose copy it holds; only a standby's. */
  readonly peer?: string | undefined;
  /** URL of a database of the operator's; undefined for an embedded one. */
  readonly url?: string | undefined;
};

/** Every database the configuration asks for: home and shared, and a standby for each peer that is copied here. */
export function plannedDatabases({ postgres, peers }: SiteConfig): readonly PlannedDatabase[] {
  return [
    { name: 'home', kind: 'home', url: urlOf(postgres.home) },
    { name: 'shared', kind: 'shared', url: urlOf(postgres.shared) },
    ...peers
      .filter(({ receives }) => receives)
      .map(({ name, standby }) => ({
        name: standbyName(name),
        kind: 'standby' as const,
        peer: name,
        url: urlOf(standby),
      })),
  ];
}

export function standbyName(peer: string): string {
  return `standby_${underscored(peer)}`;
}

/** Of a program at a site: `dualhome_c1_api`. The same in each of its databases. */
export function roleName(site: string, program: string): string {
  return `dualhome_${underscored(site)}_${program}`;
}

function underscored(site: string): string {
  return site.replaceAll('-', '_');
}

function urlOf(text: string): string | undefined {
  return text === 'embedded' ? undefined : text;
}
