import { z } from 'zod';

/** A site's name: a DNS label, since it appears in host names, certificates, schemas and roles. */
export const siteNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'a lower-case letter, then at most 30 letters, digits or hyphens');

/** As part of a name in PostgreSQL, which wants no hyphen. */
export const underscored = (site: string): string => site.replaceAll('-', '_');

/** Schema of `shared` with this site's registration log and flows. */
export const ownSchema = 'own';

/** Schema of `shared` with this site's copy of a peer's registration log and flows. */
export const peerSchema = (peer: string): string => `peer_${underscored(peer)}`;

/** The two logs of a site. */
export const LogName = { configuration: 'configuration', registration: 'registration' } as const;
export type LogName = (typeof LogName)[keyof typeof LogName];
