import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { copyTables } from '../lib/copy-tables.ts';
import { guardTable, logTables, pruningGuard } from '../lib/log-tables.ts';

/**
 * The registration log of one site and the flows it folds into. Refreshes rewrite rows in place: the pages keep
 * room for that, and no index but the key's holds a column that they change.
 */
export const migration: Migration = {
  name: '0001-flows',
  up: async (knex) => {
    await knex.raw(logTables);
    await knex.raw(pruningGuard);
    await knex.raw(copyTables);
    await knex.raw(`
      create table flows (
        key           text collate "C" primary key,
        aor           text collate "C" not null,
        device        text not null,
        reg_id        integer not null,
        owner         text not null,
        contact       text not null,
        path          jsonb not null,
        edge          text not null,
        call_id       text not null,
        cseq          bigint not null,
        q             integer not null,
        user_agent    text,
        source        text not null,
        registered_at text not null,
        expires_at    text not null,
        seen          jsonb not null,
        gone          boolean not null,
        seq           bigint not null
      ) with (fillfactor = 80);
    `);
    await knex.raw(guardTable('flows'));
  },
};
