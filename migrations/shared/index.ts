import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { migration as site } from './0001-site.ts';

/** Schema of the `shared` database. */
export const migrations: readonly Migration[] = [site];
