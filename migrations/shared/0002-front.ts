import type { Migration } from '../../services/platform/postgres/migrate.ts';

/** The front's last good copy of what it reads in `home`, with which it starts while `home` is down. */
export const migration: Migration = {
  name: '0002-front',
  up: async (knex) => {
    await knex.raw(`
      create table site.front_copy (
        single   boolean primary key default true check (single),
        seq      bigint not null,
        content  jsonb not null,
        taken_at timestamptz not null default now()
      );
    `);
  },
};
