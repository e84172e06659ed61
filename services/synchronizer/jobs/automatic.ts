import type { JobRequest } from '../../protocol/rest/jobs.ts';
import { wholeScope } from '../../protocol/scope.ts';
import type { Direction, Status } from '../../protocol/status.ts';

/**
 * Jobs that the state of replication itself asks for. A copy that has caught up and was never compared
 * is compared, so that it becomes ready without an operator; a copy that cannot be continued from the
 * log, within one history, is fetched anew. Whatever would replace a copy by less is never asked for:
 * such lanes are parked with an alarm, and an operator decides. Pure.
 */
export function dueOf({ site, peers }: Pick<Status, 'site' | 'peers'>): readonly JobRequest[] {
  return peers.flatMap(({ name, link, directions }) =>
    link.state === 'up' ? directions.flatMap((direction) => dueOfDirection(site, name, direction)) : [],
  );
}

function dueOfDirection(site: string, peer: string, direction: Direction): readonly JobRequest[] {
  const { log, from, lane, eventsBehind, proof, trouble } = direction;
  const request = { peer, log, scope: wholeScope };
  const caughtUp = lane === 'applying' && eventsBehind === 0 && (direction.applied ?? 0) > 0;
  if (from === site && caughtUp && proof === null)
    return [{ ...request, kind: 'verify', reason: 'never compared' }];
  if (from !== site && trouble?.code === 'LINK_SNAPSHOT_NEEDED')
    return [{ ...request, kind: 'pull', reason: 'the log alone cannot continue this copy' }];
  return [];
}
