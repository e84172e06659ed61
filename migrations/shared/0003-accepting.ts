import type { Migration } from '../../services/platform/postgres/migrate.ts';

/** Jobs of one more kind. */
export const migration: Migration = {
  name: '0003-accepting',
  up: async (knex) => {
    await knex.raw(`
      alter table site.jobs drop constraint jobs_kind_check;
      alter table site.jobs add constraint jobs_kind_check
        check (kind in ('bootstrap', 'resync', 'pull', 'verify', 'backfill', 'accept'));
    `);
  },
};
