import type { Command } from 'commander';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { LogDefinition } from '../../log/definition.ts';
import type { LogName } from '../../protocol/names.ts';
import { openReplay } from '../../log/replay.ts';
import type { Replay, Until } from '../../log/replay.ts';
import type { Table } from '../../model/table.ts';
import { exitCodes } from '../exit-codes.ts';
import { untilInterrupted } from '../interrupt.ts';
import { logOption, requireKind } from '../options.ts';
import { renderComparison } from '../output/comparison-screen.ts';
import { formatCount } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { withProgress } from '../output/progress.ts';
import { formatTable } from '../output/table.ts';
import { logPlace } from '../site-database.ts';
import { addVerb } from '../verb.ts';

type ReplayOptions = {
  readonly log: LogName;
  readonly until: string | undefined;
  readonly kind: string | undefined;
  readonly of: string | undefined;
  readonly compare: boolean | undefined;
};

const differencesMax = 100;

/** `dualhome log replay`: the state at a point of the log, rebuilt from its events. */
export function addReplay(log: Command): void {
  addVerb<ReplayOptions>(log, {
    name: 'replay',
    description:
      'Rebuild the state at a point of the log in a scratch database; print it, or compare it with the live one',
    examples: [
      'log replay --until 1000',
      'log replay --until 2026-11-20T08:00:00Z --kind subscriber > subscribers.ndjson',
      'log replay --compare --of c2',
      'log replay --log registration --kind flow',
    ],
    define: (command) =>
      command
        .addOption(logOption())
        .option(
          '--until <seq|time>',
          'the last event: its seq, or a time such as 2026-11-20T08:00:00Z; the head, if left out',
        )
        .option('--kind <kind>', 'print the rows of this kind, one JSON line each')
        .option('--of <site>', "whose log: this site's, or this site's copy of a peer's")
        .option('--compare', 'go on to the head and compare with the live tables'),
    run: async (out, options) => {
      const until = parseUntil(options.until);
      const { url, schema, definition } = await logPlace(options.config, options.log, options.of);
      await untilInterrupted((signal) =>
        withProgress(out, 'replaying', async (onProgress) => {
          const onReplayed = (done: number, total: number): void => onProgress({ done, total });
          await using replay = await openReplay({
            definition,
            source: url,
            schema,
            scratch: url,
            onProgress: onReplayed,
            signal,
          });
          if (options.compare) await compare(out, replay);
          else await print(out, replay, until, definition, options.kind);
        }),
      );
    },
  });
}

async function print(
  out: Output,
  replay: Replay,
  until: Until,
  { name: log, kinds }: LogDefinition,
  kind: string | undefined,
): Promise<void> {
  await replay.advance(until);
  if (kind !== undefined) {
    for await (const row of replay.rows(requireKind(kind, log).table))
      process.stdout.write(`${JSON.stringify(row)}\n`);
    return;
  }
  const rows: Record<string, number> = {};
  for (const { name, table } of kinds) rows[name] = await countRows(replay, table);
  const { seq, hash } = replay.position;
  out.result({ seq, hash: hash.toString('hex'), rows }, () =>
    [
      `State after event ${formatCount(seq)}`,
      '',
      formatTable(
        [{ head: 'KIND' }, { head: 'ROWS', right: true }],
        Object.entries(rows).map(([name, count]) => [name, formatCount(count)]),
      ),
    ].join('\n'),
  );
}

async function countRows(replay: Replay, table: Table): Promise<number> {
  let count = 0;
  for await (const _row of replay.rows(table)) count += 1;
  return count;
}

async function compare(out: Output, replay: Replay): Promise<void> {
  const comparison = await replay.compareWithLive(differencesMax);
  out.result(comparison, () => renderComparison(out, 'Replay and live tables', comparison));
  if (!comparison.equal) process.exitCode = exitCodes.failed;
}

/** @throws CLI_USAGE */
export function parseUntil(text: string | undefined): Until {
  if (text === undefined) return 'head';
  if (/^[0-9,]+$/.test(text)) return { seq: Number(text.replaceAll(',', '')) };
  const timeMs = Date.parse(text);
  if (!Number.isNaN(timeMs) && /Z$|[+-][0-9]{2}:?[0-9]{2}$/.test(text)) return { timeMs };
  throw new DualhomeError('CLI_USAGE', {
    detail: `--until ${text}: expected a seq, or a time with its zone such as 2026-11-20T08:00:00Z`,
  });
}
