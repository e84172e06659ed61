import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { migration as site } from './0001-site.ts';
import { migration as front } from './0002-front.ts';
import { migration as accepting } from './0003-accepting.ts';

/** Schema `site` of the `shared` database; beside it `own` and `peer_*` hold registration logs. */
export const migrations: readonly Migration[] = [site, front, accepting];
