import { commitRun } from '../../services/log/commit-run.ts';
import { configurationLog } from '../../services/log/definition.ts';
import { chainRun } from '../../services/log/event.ts';
import type { LoggedEvent } from '../../services/log/event.ts';
import { rowsChangedEvent } from '../../services/log/events.ts';
import { readHead } from '../../services/log/head.ts';
import { domain } from '../../services/model/domain.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import type { Position } from '../../services/protocol/position.ts';
import type { SyncSite } from './sync-pair.ts';

/** Puts events into a home log that no software of this version would write. */
export async function appendForeign(
  site: SyncSite,
  makeEvents: (head: Position) => readonly LoggedEvent[],
): Promise<void> {
  await using session = await openPipeline({ url: site.home.url, applicationName: 'test' });
  const head = await readHead(session);
  await commitRun(session, chainRun(head, makeEvents(head)), []);
}

/** An event of c1 that parks the lane of its copy: the standby refuses its row, which home does not have. */
export const domainWithoutRealm = ({ incarnation, seq }: Position): LoggedEvent =>
  rowsChangedEvent(
    configurationLog,
    domain,
    [{ key: 'c1.example', before: null, after: { name: 'c1.example', aliases: [] } }],
    {
      site: 'c1',
      incarnation,
      seq: seq + 1,
      timeMs: Date.now(),
      actor: { name: 'test', role: 'program' },
      reason: 'a test',
    },
  );
