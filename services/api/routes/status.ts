import { isDualhomeError } from '../../protocol/errors/index.ts';
import { statusSchema } from '../../protocol/status.ts';
import { allow } from '../access.ts';
import type { ApiContext } from '../context.ts';
import { statusWithoutSynchronizer, withLogState } from '../status.ts';
import { listAlarms } from '../store/alarms.ts';

/** Alarms shown in a status of the api's own. */
const alarmsMax = 100;

/** How the site stands, also while its synchronizer does not run. */
export function statusRoutes(context: ApiContext): void {
  const { server, config, shared, homeLog, synchronizer, software } = context;
  let silentSinceMs: number | undefined;
  server.app.get(
    '/v1/status',
    {
      onRequest: allow(context, 'viewer'),
      schema: { summary: 'How replication stands, in both directions', response: { 200: statusSchema } },
    },
    async () => {
      try {
        const status = await synchronizer.status();
        silentSinceMs = undefined;
        return withLogState(status, homeLog.state);
      } catch (error) {
        if (!isDualhomeError(error, 'SYNCHRONIZER_UNREACHABLE')) throw error;
        const nowMs = Date.now();
        silentSinceMs ??= nowMs;
        const alarms = await listAlarms(shared, { cleared: false, limit: alarmsMax }).catch(() => undefined);
        const { site, peers } = config;
        return statusWithoutSynchronizer(error, {
          site,
          software,
          peers,
          state: homeLog.state,
          alarms,
          silentSinceMs,
          nowMs,
        });
      }
    },
  );
}
