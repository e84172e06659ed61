import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { migration as flows } from './0001-flows.ts';

/** What schema `own` and every `peer_*` of `shared` hold: one folder, run in each. */
export const migrations: readonly Migration[] = [flows];
