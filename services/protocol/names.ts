import { z } from 'zod';

/** A site's name: a DNS label, since it appears in host names, certificates, schemas and roles. */
export const siteNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'a lower-case letter, then at most 30 letters, digits or hyphens');

/** The two logs of a site. */
export const LogName = { configuration: 'configuration', registration: 'registration' } as const;
export type LogName = (typeof LogName)[keyof typeof LogName];
