import type { DatabaseKind } from './plan.ts';

type Settings = Readonly<Record<string, string>>;

/** Of every embedded server: short statements, prepared once, gain nothing from compiling them. */
const common: Settings = { jit: 'off', max_connections: '60' };

/** Server settings by what the database is for; durability stays as PostgreSQL ships it. */
export const embeddedSettings: Readonly<Record<DatabaseKind, Settings>> = {
  home: common,
  shared: { ...common, shared_buffers: '32MB' },
  standby: common,
};
