import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { guardTable } from '../lib/log-tables.ts';

/** Which processor decides about a device, where an operator says so. */
export const migration: Migration = {
  name: '0004-dispatch-rules',
  up: async (knex) => {
    await knex.raw(`
      create table dispatch_rules (
        name      text collate "C" primary key,
        matches   text not null,
        processor text not null,
        action    text not null,
        seq       bigint not null
      );
    `);
    await knex.raw(guardTable('dispatch_rules'));
  },
};
