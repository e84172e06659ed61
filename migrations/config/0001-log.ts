import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { logTables } from '../lib/log-tables.ts';

/** The configuration log, and at a standby what proves it: the snapshots it was filled from and the verifications it passed. */
export const migration: Migration = {
  name: '0001-log',
  up: async (knex) => {
    await knex.raw(logTables);
    await knex.raw(`
      create table snapshots (
        transfer    uuid primary key,
        scope       text not null,
        incarnation uuid not null,
        seq         bigint not null,
        hash        bytea not null,
        rows        bigint not null,
        bytes       bigint not null,
        swapped_at  timestamptz not null default now()
      );

      create table proofs (
        id          bigint generated always as identity primary key,
        incarnation uuid not null,
        seq         bigint not null,
        hash        bytea not null,
        rows        bigint not null,
        equal       boolean not null,
        differences jsonb not null,
        proven_at   timestamptz not null default now()
      );
    `);
  },
};
