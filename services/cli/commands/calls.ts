import { join } from 'node:path';
import type { Command } from 'commander';
import { followLines } from '../../platform/files/follow-lines.ts';
import { callRecordSchema, callRecordsFile } from '../../protocol/call-record.ts';
import type { CallRecord } from '../../protocol/call-record.ts';
import { readSiteFile } from '../../site/config/read.ts';
import { siteLayout } from '../../site/layout.ts';
import { untilInterrupted } from '../interrupt.ts';
import { wholeNumber } from '../options.ts';
import { formatTime } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { addVerb } from '../verb.ts';

type TailOptions = { readonly last: number; readonly follow: boolean };

/** `dualhome calls`: what the front has written down of each attempt of a call. */
export function addCallsVerbs(parent: Command): void {
  const calls = parent.command('calls').description('Calls as this site saw them');
  addVerb<TailOptions>(calls, {
    name: 'tail',
    description: "The last calls' records, then each new one; where the site runs",
    examples: ['calls tail', 'calls tail --last 100 --no-follow --json'],
    define: (command) =>
      command
        .option('--last <calls>', 'begin with so many that are over', wholeNumber(0, 10_000), 10)
        .option('--no-follow', 'end there'),
    run: async (out, { config, last, follow }) => {
      const { dataDir } = await readSiteFile(config);
      const path = join(siteLayout(dataDir).callRecords, callRecordsFile);
      const show = async (signal?: AbortSignal): Promise<void> => {
        for await (const line of followLines(path, last, signal)) {
          const record = callRecordSchema.parse(JSON.parse(line));
          out.result(record, () => renderCall(out, record));
        }
      };
      await (follow ? untilInterrupted(show) : show());
    },
  });
}

function renderCall(out: Output, record: CallRecord): string {
  const { time, caller, dialled, callees, targets, status, reason, ringingMs, finalMs, callId } = record;
  const outcome = out.style(
    status < 300 ? 'green' : 'yellow',
    `${status}${reason === null ? '' : ` ${reason}`}`,
  );
  const way = [...callees, ...targets].join(' > ') || 'nowhere';
  const rang = ringingMs === null ? '' : `rang after ${ringingMs} ms, `;
  return `${formatTime(time)} ${outcome} ${caller} -> ${dialled}: ${way} (${rang}${finalMs} ms) ${callId}`;
}
