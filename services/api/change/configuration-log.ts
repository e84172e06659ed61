import type { Planner } from '../../log/planner.ts';
import type { WrittenLog } from '../../log/written-log.ts';
import type { ChangeAnswer, ChangeRequest } from './intent.ts';
import { planChange } from './plan-change.ts';

/** The log this program writes. */
export type ConfigurationLog = WrittenLog<ChangeRequest, ChangeAnswer>;

/** How requests become events of a site's configuration log. */
export const changePlanner = (site: string): Planner<ChangeRequest, ChangeAnswer> => ({
  wanted: ({ kind, intents }) => ({ table: kind.table, keys: intents.map(({ key }) => key) }),
  plan: (request, rowOf, slot) => planChange(site, request, rowOf, slot),
});
