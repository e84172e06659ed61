import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { copyTables } from '../lib/copy-tables.ts';
import { logTables } from '../lib/log-tables.ts';

/** The configuration log, and at a standby what proves it. */
export const migration: Migration = {
  name: '0001-log',
  up: async (knex) => {
    await knex.raw(logTables);
    await knex.raw(copyTables);
  },
};
