import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { guardTable } from '../lib/log-tables.ts';

const tables = ['domains', 'devices', 'subscribers', 'numbers', 'routes', 'sites', 'environment'];

/** One table a configuration kind. Text keys compare by bytes, so that key ranges mean the same everywhere. */
export const migration: Migration = {
  name: '0002-kinds',
  up: async (knex) => {
    await knex.raw(`
      create table domains (
        name    text collate "C" primary key,
        realm   text not null,
        aliases jsonb not null,
        seq     bigint not null
      );

      create table devices (
        name        text collate "C" primary key,
        aor         text collate "C",
        instance    text collate "C",
        address     text,
        transport   text,
        model       text,
        home_site   text not null,
        backup_site text,
        seq         bigint not null
      );
      create index devices_aor on devices (aor);

      create table subscribers (
        aor                       text collate "C" primary key,
        display_name              text,
        ha1_md5                   text,
        ha1_sha256                text,
        home_site                 text not null,
        backup_site               text,
        class_of_service          jsonb not null,
        forward_always            text,
        forward_busy              text,
        forward_no_answer         text,
        forward_no_answer_seconds integer,
        forward_unreachable       text,
        area_code                 text,
        country_code              text,
        time_zone                 text,
        seq                       bigint not null
      ) with (fillfactor = 90);

      create table numbers (
        number text collate "C" primary key,
        aor    text collate "C" not null,
        seq    bigint not null
      );
      create index numbers_aor on numbers (aor);

      create table routes (
        prefix    text collate "C" primary key,
        class     text not null,
        next_hops jsonb not null,
        transit   boolean not null,
        emergency boolean not null,
        seq       bigint not null
      );

      create table sites (
        name               text collate "C" primary key,
        addresses          jsonb not null,
        transport          text not null,
        certificate_sha256 text,
        probe              boolean not null,
        seq                bigint not null
      );

      create table environment (
        name  text collate "C" primary key,
        value text not null,
        seq   bigint not null
      );
    `);
    for (const table of tables) await knex.raw(guardTable(table));
  },
};
