import type { DatabaseKind } from './plan.ts';

type Settings = Readonly<Record<string, string>>;

/** Of every embedded server: short statements, prepared once, gain nothing from compiling them. */
const common: Settings = { jit: 'off', max_connections: '60' };

/** Room between checkpoints for a bulk change, whose pages are written once instead of many times. */
const bulk: Settings = { max_wal_size: '2GB' };

/** Nobody streams a standby's WAL: a table filled in the transaction that made it needs none. */
const filledBySnapshots: Settings = { wal_level: 'minimal', max_wal_senders: '0' };

/** Server settings by what the database is for; durability stays as PostgreSQL ships it. */
export const embeddedSettings: Readonly<Record<DatabaseKind, Settings>> = {
  home: { ...common, ...bulk },
  shared: { ...common, shared_buffers: '32MB' },
  standby: { ...common, ...bulk, ...filledBySnapshots },
};
