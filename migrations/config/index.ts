import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { migration as log } from './0001-log.ts';
import { migration as kinds } from './0002-kinds.ts';
import { migration as pruning } from './0003-pruning.ts';
import { migration as dispatchRules } from './0004-dispatch-rules.ts';

/** Schema of `home` and every `standby_*` database: one folder, run on each. */
export const migrations: readonly Migration[] = [log, kinds, pruning, dispatchRules];
