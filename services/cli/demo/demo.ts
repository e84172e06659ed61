import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Direction } from '../../protocol/status.ts';
import type { Output } from '../output/output.ts';
import { hasPair, makePair, removePair, startPair } from './demo-pair.ts';
import type { DemoPair } from './demo-pair.ts';
import { showLive } from './live.ts';
import { readStatus } from './replication.ts';
import { Steps } from './steps.ts';
import { TourPhones } from './calls.ts';
import { showRegistrations, startDevices } from './devices.ts';
import { showFailover } from './failover.ts';
import { showCut, showResync, showTour } from './tour.ts';
import { restartOnChange } from './watch.ts';

export type DemoOptions = {
  readonly directory: string;
  /** Also where the sites are there already. */
  readonly tour: boolean;
  /** Programs start anew when their source code changes. */
  readonly watch: boolean;
  readonly signal: AbortSignal;
};

/** Brings up the pair, shows the tour the first time, then a live status until `signal` aborts; stops in order. */
export async function showDemo(out: Output, { directory, tour, watch, signal }: DemoOptions): Promise<void> {
  const steps = new Steps(out);
  const pair = await bringUp(directory, steps, signal);
  await using stopping = new AsyncDisposableStack();
  stopping.defer(() => stopPair(pair, steps));
  const seen = join(directory, 'tour-seen');
  const isTour = tour || !existsSync(seen);
  if (isTour) await showTour(pair, { out, steps, signal });
  await using devices = await startDevices(pair);
  if (isTour) {
    const context = { out, steps, signal };
    await showRegistrations(devices, context);
    await using phones = await TourPhones.open(pair);
    await phones.callAtHome(context);
    await phones.callMoved(context);
    await showFailover(pair, devices, phones, context);
    await writeFile(seen, '');
  }
  await Promise.all([
    showLive(pair, devices, out, signal),
    ...(watch ? [restartOnChange(pair, signal)] : []),
  ]);
}

/**
 * The whole tour on temporary data, faults included; prints what each step found out. Returns whether all of it held.
 * The last line of standard output is its JSON where that is wanted.
 */
export async function showOnce(out: Output, signal: AbortSignal): Promise<boolean> {
  const steps = new Steps(out);
  let positions: readonly Direction[] = [];
  const directory = await mkdtemp(join(tmpdir(), 'dualhome-demo-'));
  await chmod(directory, 0o755);
  try {
    positions = await runOnce(join(directory, 'pair'), { out, steps, signal });
  } catch (error) {
    out.error(error);
  } finally {
    await removePair(join(directory, 'pair'));
    await rm(directory, { recursive: true, force: true });
  }
  if (out.json) out.result({ ok: steps.ok, steps: steps.results, positions }, () => '');
  return steps.ok;
}

/** Returns both directions as they were at the end. */
async function runOnce(
  directory: string,
  context: { readonly out: Output; readonly steps: Steps; readonly signal: AbortSignal },
): Promise<readonly Direction[]> {
  const { steps, signal } = context;
  const pair = await bringUp(directory, steps, signal);
  try {
    await showTour(pair, context);
    await using devices = await startDevices(pair);
    await showRegistrations(devices, context);
    await using phones = await TourPhones.open(pair);
    await phones.callAtHome(context);
    await phones.callMoved(context);
    await showCut(pair, context);
    await showResync(pair, context);
    await showFailover(pair, devices, phones, context);
    return (await readStatus(pair.c1)).peers.flatMap(({ directions }) => directions);
  } finally {
    await stopPair(pair, steps);
  }
}

async function bringUp(directory: string, steps: Steps, signal: AbortSignal): Promise<DemoPair> {
  if (!hasPair(directory)) {
    await steps.run(
      'make',
      'Two sites and a third-party site are made: keys, certificates, configuration',
      async () => {
        await makePair(directory);
        return { directory };
      },
    );
  }
  let pair: DemoPair | undefined;
  await steps.run('start', 'All three start: databases, programs, link', async () => {
    pair = await startPair(directory, signal);
    return {};
  });
  if (!pair) throw new Error('both sites were started');
  return pair;
}

async function stopPair(pair: DemoPair, steps: Steps): Promise<void> {
  await steps.run('stop', 'Everything stops, in order', async () => {
    await pair[Symbol.asyncDispose]();
    return {};
  });
}
