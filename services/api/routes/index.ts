import type { ApiContext } from '../context.ts';
import { changeRoutes } from './changes.ts';
import { configRoutes } from './config.ts';

/** Everything the api answers. */
export function registerRoutes(context: ApiContext): void {
  configRoutes(context);
  changeRoutes(context);
}
