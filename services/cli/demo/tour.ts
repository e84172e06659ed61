import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Job } from '../../protocol/rest/jobs.ts';
import { followJob, requestJob, requireDone } from '../jobs.ts';
import type { JobWish } from '../jobs.ts';
import { formatBytes, formatCount, formatQuantity } from '../output/format.ts';
import type { OnProgress } from '../output/progress.ts';
import type { Output } from '../output/output.ts';
import type { DemoPair } from './demo-pair.ts';
import type { DemoSite } from './demo-site.ts';
import { directionIn, importRows, makeChanges, waitForApplied, waitForStatus } from './replication.ts';
import type { DemoChange } from './replication.ts';
import { sampleBase, sampleSubscriber, sampleSubscribers, subscribersPerSite } from './sample.ts';
import type { Steps } from './steps.ts';

const liveChanges = 200;

/** What the tour shows of a verification's result. */
const verificationSchema = z.object({ equal: z.boolean(), rows: z.int(), seq: z.int() });
type Verification = z.infer<typeof verificationSchema>;

export type TourContext = {
  readonly out: Output;
  readonly steps: Steps;
  readonly signal: AbortSignal;
};

const ways = ({ c1, c2 }: DemoPair): readonly (readonly [DemoSite, DemoSite])[] => [
  [c1, c2],
  [c2, c1],
];

/** Shows what the pair does, on a pair that has just come up. Loading the sample again changes nothing. */
export async function showTour(pair: DemoPair, context: TourContext): Promise<void> {
  await waitForLink(pair, context);
  await loadSample(pair, context);
  await bootstrap(pair, context);
  await showLiveChanges(pair, context);
}

async function waitForLink(pair: DemoPair, { steps, signal }: TourContext): Promise<void> {
  await steps.run('link', 'The sites reach each other over one TLS connection', async () => {
    const up = await Promise.all(
      ways(pair).map(([site]) =>
        waitForStatus(site, ({ peers }) => peers.every(({ link }) => link.state === 'up'), signal),
      ),
    );
    return { roundTripMs: up[0]?.peers[0]?.link.roundTripMs ?? null };
  });
}

async function loadSample(pair: DemoPair, { steps, signal }: TourContext): Promise<void> {
  const title = `${formatCount(subscribersPerSite)} subscribers are configured at each site`;
  const { heads } = await steps.run('sample', title, async (onProgress) => {
    const imported = new Map<string, number>();
    const loaded = ways(pair).map(async ([site, peer]) => {
      await makeChanges(site, sampleBase(site.name), 'sample configuration');
      const rows = sampleSubscribers(site.name, peer.name, subscribersPerSite);
      const seq = await importRows(site, 'subscriber', rows, (count) => {
        imported.set(site.name, count);
        const done = [...imported.values()].reduce((sum, each) => sum + each, 0);
        onProgress({ done, total: 2 * subscribersPerSite });
      });
      return [site.name, seq] as const;
    });
    return { heads: Object.fromEntries(await Promise.all(loaded)), subscribers: subscribersPerSite };
  });
  await steps.run(
    'standby',
    "Each site's standby holds the other's configuration",
    async (onProgress) => {
      const applied = ways(pair).map(async ([from, to]) => {
        const direction = await waitForApplied(from, to, heads[from.name] ?? 0, signal, onProgress);
        return [`${from.name} -> ${to.name}`, direction.applied] as const;
      });
      return { applied: Object.fromEntries(await Promise.all(applied)) };
    },
    ({ applied }) =>
      Object.entries(applied)
        .map(([way, seq]) => `${way} ${formatCount(seq ?? 0)}`)
        .join(', '),
  );
}

async function bootstrap(pair: DemoPair, { steps, signal }: TourContext): Promise<void> {
  await steps.run(
    'bootstrap',
    'Both standby databases are filled from snapshots over FTPS, verified and swapped in',
    async (onProgress) => {
      const job = await runJob(pair.c1, { kind: 'bootstrap', peer: pair.c2.name }, signal, onProgress);
      return { rows: job.progress.rowsDone, bytes: job.progress.bytesDone };
    },
    ({ rows, bytes }) => `${formatQuantity(rows, 'row')}, ${formatBytes(bytes)}`,
  );
}

/** Pushes everything to the peer again while changes go on, then proves both copies equal. */
export async function showResync(pair: DemoPair, { steps, signal }: TourContext): Promise<void> {
  await steps.run(
    'resync',
    'c1 pushes everything again, while it is being changed',
    async (onProgress) => {
      const changing = makeChanges(pair.c1, editsOf(pair.c1, pair.c2, 'during resync'), 'during the resync');
      const job = await runJob(pair.c1, { kind: 'resync', peer: pair.c2.name }, signal, onProgress);
      const { applied } = await waitForApplied(pair.c1, pair.c2, await changing, signal);
      return { rows: job.progress.rowsDone, bytes: job.progress.bytesDone, applied };
    },
    ({ rows, bytes }) => `${formatQuantity(rows, 'row')}, ${formatBytes(bytes)}`,
  );
  await steps.run(
    'verification',
    'Home and standby are compared row by row at the same event, both ways',
    async (onProgress) => {
      const results: Record<string, Verification> = {};
      for (const [site, peer] of ways(pair)) {
        const job = await runJob(site, { kind: 'verify', peer: peer.name }, signal, onProgress);
        results[`${site.name} -> ${peer.name}`] = verificationSchema.parse(job.result);
      }
      const different = Object.entries(results).filter(([, { equal }]) => !equal);
      if (different.length > 0) {
        throw new DualhomeError('DEMO_UNEQUAL', {
          detail: different.map(([way]) => way).join(', '),
          facts: results,
        });
      }
      return { verified: results };
    },
    ({ verified }) =>
      Object.entries(verified)
        .map(
          ([way, { rows, seq }]) =>
            `${way} ${formatQuantity(rows, 'row')} equal at event ${formatCount(seq)}`,
        )
        .join(', '),
  );
}

async function runJob(
  site: DemoSite,
  wish: JobWish,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<Job> {
  const { id } = await requestJob(site.api, { reason: 'tour', ...wish });
  return requireDone(await followJob(site.api, id, onProgress, signal));
}

async function showLiveChanges(pair: DemoPair, { steps, signal }: TourContext): Promise<void> {
  await steps.run(
    'live-changes',
    `${formatQuantity(liveChanges, 'change')} at each site, one by one, reach the other`,
    () => changeBoth(pair, signal, 'live'),
    ({ applied }) =>
      Object.entries(applied)
        .map(([way, seq]) => `${way} ${formatCount(seq ?? 0)}`)
        .join(', '),
  );
}

/** Cuts the link, changes both sites meanwhile, heals it, and waits until both have everything again. */
export async function showCut(pair: DemoPair, { steps, signal }: TourContext): Promise<void> {
  await steps.run(
    'link-cut',
    'The link is cut; both sites go on, and each says what it does not know',
    async () => {
      pair.link.cut();
      const status = await waitForStatus(
        pair.c1,
        (seen) => directionIn(seen, 'c2', 'c1')?.health === 'unknown',
        signal,
      );
      return { health: status.health };
    },
  );
  const { seqs } = await steps.run('changes-while-cut', 'Both sites are changed meanwhile', async () => {
    const made = ways(pair).map(async ([site, peer]) => {
      return [
        site.name,
        await makeChanges(site, editsOf(site, peer, 'while cut'), 'while the link is cut'),
      ] as const;
    });
    return { seqs: Object.fromEntries(await Promise.all(made)) };
  });
  await steps.run('link-healed', 'The link is healed; nothing is lost', async () => {
    pair.link.heal();
    const applied = ways(pair).map(async ([from, to]) => {
      const { applied: seq } = await waitForApplied(from, to, seqs[from.name] ?? 0, signal);
      return [`${from.name} -> ${to.name}`, seq] as const;
    });
    return { applied: Object.fromEntries(await Promise.all(applied)) };
  });
}

async function changeBoth(pair: DemoPair, signal: AbortSignal, mark: string) {
  const applied = ways(pair).map(async ([from, to]) => {
    const seq = await makeChanges(from, editsOf(from, to, mark), `tour: ${mark}`);
    const direction = await waitForApplied(from, to, seq, signal);
    return [`${from.name} -> ${to.name}`, direction.applied] as const;
  });
  return { changes: 2 * liveChanges, applied: Object.fromEntries(await Promise.all(applied)) };
}

/** Changes of names that differ each time. */
function* editsOf(site: DemoSite, peer: DemoSite, mark: string): Generator<DemoChange> {
  const stamp = new Date().toISOString();
  for (let n = 1; n <= liveChanges; n += 1) {
    const { aor } = sampleSubscriber(site.name, peer.name, n);
    yield { op: 'merge', kind: 'subscriber', row: { aor, display_name: `Edited ${mark} ${stamp}` } };
  }
}
