import type { ApiContext } from '../context.ts';
import { alarmRoutes } from './alarms.ts';
import { changeRoutes } from './changes.ts';
import { configRoutes } from './config.ts';
import { dispatchRoutes } from './dispatch.ts';
import { distributionRoutes } from './distribution.ts';
import { exportRoutes } from './export.ts';
import { importRoutes } from './import.ts';
import { jobRoutes } from './jobs.ts';
import { kindRoutes } from './kinds.ts';
import { logRoutes } from './log.ts';
import { statusRoutes } from './status.ts';

/** Everything the api answers. */
export function registerRoutes(context: ApiContext): void {
  kindRoutes(context);
  configRoutes(context);
  changeRoutes(context);
  importRoutes(context);
  exportRoutes(context);
  distributionRoutes(context);
  logRoutes(context);
  statusRoutes(context);
  jobRoutes(context);
  alarmRoutes(context);
  dispatchRoutes(context);
}
