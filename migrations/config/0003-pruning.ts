import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { pruningGuard } from '../lib/log-tables.ts';

/** Events may be removed, from the oldest on. */
export const migration: Migration = {
  name: '0003-pruning',
  up: async (knex) => {
    await knex.raw(pruningGuard);
  },
};
