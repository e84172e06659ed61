import type { Command } from 'commander';
import { z } from 'zod';
import { comparisonSchema } from '../../protocol/digest.ts';
import type { Comparison } from '../../protocol/digest.ts';
import type { LogName } from '../../protocol/names.ts';
import { isDualhomeError } from '../../protocol/errors/index.ts';
import { openReplay } from '../../log/replay.ts';
import { verifyChain } from '../../log/verify-chain.ts';
import type { ChainProof } from '../../log/verify-chain.ts';
import type { HttpClient } from '../../platform/http/client.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import { statusSchema } from '../../protocol/status.ts';
import { openApi } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { untilInterrupted } from '../interrupt.ts';
import { followJob, requestJob, requireDone } from '../jobs.ts';
import { renderComparison } from '../output/comparison-screen.ts';
import { formatCount, formatQuantity } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { withProgress } from '../output/progress.ts';
import { logOption } from '../options.ts';
import { logPlace } from '../site-database.ts';
import type { LogPlace } from '../site-database.ts';
import { addVerb } from '../verb.ts';

type Compared = Comparison & { readonly seq: number };
type VerifyOptions = { readonly log: LogName; readonly peer: string | undefined };

const jobResultSchema = comparisonSchema.extend({ seq: z.int() });
const differencesMax = 100;

/** `dualhome log verify`: everything that can be proven of a log and its copies. */
export function addVerify(log: Command): void {
  addVerb<VerifyOptions>(log, {
    name: 'verify',
    description: "Prove the chain, that replay gives the live tables, and that the peers' copies equal them",
    examples: ['log verify', 'log verify --peer c2 --json'],
    define: (command) =>
      command.addOption(logOption()).option('--peer <site>', 'compare with this peer only'),
    run: async (out, options) => {
      const { log } = options;
      const place = await logPlace(options.config, log, undefined);
      using api = await openApi(options);
      await untilInterrupted(async (signal) => {
        const chain = await proveChain(out, place, signal);
        const replay = await compareReplay(out, place, signal);
        const peers: Record<string, Compared> = {};
        for (const peer of options.peer === undefined ? await copyHolders(api, log) : [options.peer]) {
          peers[peer] = await comparePeer(out, api, { peer, log }, signal);
        }
        out.result({ chain, replay, peers }, () => render(out, { chain, replay, peers }));
        const comparisons = [...(replay ? [replay] : []), ...Object.values(peers)];
        if (!comparisons.every(({ equal }) => equal)) process.exitCode = exitCodes.failed;
      });
    },
  });
}

function proveChain(out: Output, { url, schema }: LogPlace, signal: AbortSignal): Promise<ChainProof> {
  return withProgress(out, 'chain', async (onProgress) => {
    await using home = openDatabase({ url, schema, applicationName: 'dualhome verify', poolMax: 1 });
    return await verifyChain(home, { signal, onProgress: (done, total) => onProgress({ done, total }) });
  });
}

/** Undefined where the log's beginning is not held: what was before a snapshot cannot be replayed. */
function compareReplay(
  out: Output,
  { url, ...place }: LogPlace,
  signal: AbortSignal,
): Promise<Compared | undefined> {
  return withProgress(out, 'replay', async (onProgress) => {
    try {
      const onReplayed = (done: number, total: number): void => onProgress({ done, total });
      await using replay = await openReplay({
        ...place,
        source: url,
        scratch: url,
        onProgress: onReplayed,
        signal,
      });
      return await replay.compareWithLive(differencesMax);
    } catch (error) {
      if (isDualhomeError(error, 'LOG_NOT_HELD')) return undefined;
      throw error;
    }
  });
}

function comparePeer(
  out: Output,
  api: HttpClient,
  { peer, log }: { readonly peer: string; readonly log: LogName },
  signal: AbortSignal,
): Promise<Compared> {
  return withProgress(out, `comparison with ${peer}`, async (onProgress) => {
    const { id } = await requestJob(api, { kind: 'verify', peer, log, reason: 'log verify' });
    const job = requireDone(await followJob(api, id, onProgress, signal));
    return jobResultSchema.parse(job.result);
  });
}

/** Peers that keep a copy of this log of the site. */
async function copyHolders(api: HttpClient, name: LogName): Promise<readonly string[]> {
  const { site, peers } = await api.request('GET', '/v1/status', { answer: statusSchema });
  return peers
    .filter(({ directions }) => directions.some(({ log, from }) => log === name && from === site))
    .map(({ name }) => name);
}

type Verified = {
  readonly chain: ChainProof;
  readonly replay: Compared | undefined;
  readonly peers: Readonly<Record<string, Compared>>;
};

function render(out: Output, { chain, replay, peers }: Verified): string {
  const { from, to, events } = chain;
  return [
    `Chain from event ${formatCount(from)} to ${formatCount(to)}: ${formatQuantity(events, 'event')} ${out.style('green', 'proven')}`,
    replay
      ? renderComparison(out, 'Replay and live tables', replay)
      : 'Replay: the beginning of the log is not held; what is held has been proven as a chain',
    ...Object.entries(peers).map(([peer, compared]) =>
      renderComparison(out, `Copy at ${peer} and this log`, compared),
    ),
  ].join('\n');
}
