import { randomUUID } from 'node:crypto';
import type { LogName } from '../protocol/names.ts';
import { jobRequestSchema } from '../protocol/rest/jobs.ts';
import type { JobPreview } from '../protocol/rest/jobs.ts';
import { wholeScope } from '../protocol/scope.ts';
import type { Status } from '../protocol/status.ts';
import { Signer } from '../platform/crypto/signing.ts';
import type { ResourceStack } from '../platform/lifecycle/resource-stack.ts';
import { Secret } from '../platform/logging/secret.ts';
import { listen } from '../platform/postgres/listen.ts';
import { backfillWork, serveHistory } from './backfill/backfill.ts';
import { acceptWork } from './jobs/accept.ts';
import { bootstrapWork, pullWork, servePeerJobs } from './jobs/remote.ts';
import { JobRunner } from './jobs/runner.ts';
import { Schedule } from './jobs/schedule.ts';
import { peerNamed } from './peer-logs.ts';
import type { PeerLog, SynchronizerContext } from './ports.ts';
import { Pruner } from './retention/pruner.ts';
import type { PrunedLog } from './retention/pruner.ts';
import { JobStore } from './store/job-store.ts';
import { readPem } from '../platform/tls/identity-files.ts';
import { clientFor } from './transfers/client.ts';
import { previewOf, servePreviews } from './transfers/preview.ts';
import { pushWork } from './transfers/push-work.ts';
import { openReception } from './transfers/reception.ts';
import { Receiver } from './transfers/receiver.ts';
import { clearSpool } from './transfers/spool.ts';
import { HeldCopies } from './verify/held-copy.ts';
import { verifyWork } from './verify/verify-work.ts';

export type Work = { readonly preview: (query: URLSearchParams) => Promise<JobPreview> };

/**
 * Starts what works on the copies as a whole: transfers in and out, comparisons, and the jobs that ask
 * for them. They end in reverse order, jobs first.
 */
export async function startWork(
  context: SynchronizerContext,
  { stack, status }: { readonly stack: ResourceStack; readonly status: () => Status },
): Promise<Work> {
  const { config, log, shared, peers, handlers, alarms, reservations, clock } = context;
  const store = new JobStore(shared);
  await clearSpool(config.spool);
  const reception = stack.use('FTP server', await openReception(context));
  const fetchHistory = async (peer: string, log: LogName): Promise<void> => {
    const request = {
      kind: 'backfill',
      peer,
      log,
      scope: wholeScope,
      reason: 'after a snapshot',
    } as const;
    await store.insert(randomUUID(), request, 'transfer');
  };
  stack.use('incoming transfers', new Receiver(context, reception, fetchHistory));
  stack.use('comparisons', new HeldCopies(peers, handlers, alarms));
  stack.use('previews', servePreviews(context));
  stack.use('history', serveHistory(context));

  stack.use(
    'pruning',
    new Pruner({ logs: prunedLogs(context), retention: config.retention, reservations, clock, log }),
  );

  const signer = new Signer(new Secret(await readPem(config.signingKeyFile)));
  const wake = (): void => runner.wake();
  const runner = new JobRunner(
    store,
    {
      resync: pushWork(context, {
        signer,
        clientFor: async (offer, peer) =>
          clientFor(context, offer, await readPem(peerNamed(peers, peer).config.caFile)),
      }),
      pull: pullWork((peer) => peerNamed(peers, peer).link),
      bootstrap: bootstrapWork(store, wake, {
        sends: (peer, log) => peerNamed(peers, peer).logs.get(log)?.send !== undefined,
        receives: (peer, log) => peerNamed(peers, peer).logs.get(log)?.apply !== undefined,
      }),
      verify: verifyWork(context),
      backfill: backfillWork(context),
      accept: acceptWork(context),
    },
    log,
  );
  stack.use('jobs', runner);
  stack.use('jobs of peers', servePeerJobs(handlers, store, wake));
  stack.use(
    'job notifications',
    listen({
      url: config.databases.shared,
      applicationName: 'dualhome synchronizer',
      channels: ['dualhome_jobs'],
      onNotify: wake,
      onListening: wake,
    }),
  );
  stack.use('schedule', new Schedule({ config, status, store, log, onAdded: wake }));
  return {
    preview: (query) => previewOf(context, store, jobRequestSchema.parse(JSON.parse(query.get('job') ?? ''))),
  };
}

/** This site's own logs, as far as its peers have them, and the copies. */
function prunedLogs({ logs, peers }: SynchronizerContext): readonly PrunedLog[] {
  const lanesOf = (log: LogName): readonly PeerLog[] =>
    [...peers.values()].flatMap((peer) => peer.logs.get(log) ?? []);
  const own = [...logs].map(([name, { database }]) => {
    const receivers = lanesOf(name).filter(({ send }) => send);
    return { name, database, applied: () => Math.min(...receivers.map((lanes) => lanes.applied ?? 0)) };
  });
  const copies = [...peers].flatMap(([peer, { logs: theirs }]) =>
    [...theirs].flatMap(([log, { copy }]) =>
      copy ? [{ name: `${peer}/${log}`, database: copy.database, applied: () => Infinity }] : [],
    ),
  );
  return [...own, ...copies];
}
