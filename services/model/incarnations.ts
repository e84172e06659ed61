import type { Table } from './table.ts';

/** Where each incarnation of a log began; not configuration, but folded from the log as configuration is. */
export const incarnationsTable: Table = {
  name: 'incarnations',
  key: 'incarnation',
  columns: [
    { name: 'incarnation', type: 'text', nullable: false },
    { name: 'first_seq', type: 'integer', nullable: false },
    { name: 'parent_incarnation', type: 'text', nullable: true },
    { name: 'parent_seq', type: 'integer', nullable: true },
    { name: 'parent_hash', type: 'text', nullable: true },
    { name: 'begun', type: 'text', nullable: false },
    { name: 'reason', type: 'text', nullable: false },
  ],
};
