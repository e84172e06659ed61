import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import { errorOfProblem } from '../../protocol/errors/problem.ts';
import { csvType, importLineSchema } from '../../protocol/rest/import.ts';
import type { ImportDone, ImportLine } from '../../protocol/rest/import.ts';
import { ndjsonType } from '../../platform/http/ndjson.ts';
import { openApi } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { untilInterrupted } from '../interrupt.ts';
import { requireKind, wholeNumber } from '../options.ts';
import { formatCount, formatQuantity } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { withProgress } from '../output/progress.ts';
import { addVerb } from '../verb.ts';

type Format = 'csv' | 'ndjson' | 'kamailio';

type ImportOptions = {
  readonly format: Format | undefined;
  readonly mode: 'put' | 'merge' | 'delete';
  readonly dryRun: boolean;
  readonly fromLine: number;
  readonly batchRows: number;
  readonly set: readonly string[] | undefined;
  readonly reason: string;
};

/** Of the faults found; scripts get all of them. */
const faultsShownMax = 20;

type Refused = Extract<ImportLine, { type: 'refused' }>;

/** `dualhome config import`: rows from a file, as a stream of whatever length. */
export function addImport(config: Command): void {
  addVerb<ImportOptions, [kind: string, file: string]>(config, {
    name: 'import',
    description: 'Import rows from a CSV or NDJSON file; each batch is one event, all of its rows or none',
    examples: [
      'config import subscriber subscribers.csv --dry-run',
      'config import subscriber subscribers.ndjson --reason "migration"',
      'config import subscriber kamailio.csv --format kamailio --set home_site=c1 --set backup_site=c2',
      'cat numbers.csv | dualhome config import number - --format csv --from-line 50001',
    ],
    define: (command) =>
      command
        .argument('<kind>', 'kind of the rows')
        .argument('<file>', '- for standard input')
        .addOption(
          new Option(
            '--format <format>',
            "of the file, if its name does not end in .csv or .ndjson; kamailio: CSV of Kamailio's subscriber table",
          ).choices(['csv', 'ndjson', 'kamailio']),
        )
        .addOption(
          new Option(
            '--mode <mode>',
            'put: exactly these rows; merge: keep the fields not given; delete: remove them',
          )
            .choices(['put', 'merge', 'delete'])
            .default('put'),
        )
        .option('--set <field=value...>', 'for rows that do not give the field')
        .option('--dry-run', 'check every row, change nothing', false)
        .option('--from-line <line>', 'go on from this line; the header is line 1', wholeNumber(1), 1)
        .option('--batch-rows <rows>', 'rows of a batch', wholeNumber(1, 1_000), 500)
        .option('--reason <text>', 'why; part of each event', ''),
    run: async (out, options, kind, file) => {
      const { done, refused } = await runImport(out, options, requireKind(kind).name, file);
      out.result({ ...done, refusedRows: refused }, () => render(done, refused, options.dryRun));
      if (done.problem) throw errorOfProblem(done.problem, done.problem.status);
      if (!done.ok) process.exitCode = exitCodes.failed;
    },
  });
}

type Imported = { readonly done: ImportDone; readonly refused: readonly Refused[] };

async function runImport(
  out: Output,
  options: ImportOptions & { config: string },
  kind: string,
  file: string,
): Promise<Imported> {
  const format = options.format ?? formatOf(file);
  const total = file === '-' ? undefined : await sizeOf(file);
  using api = await openApi(options);
  return await withProgress(out, `importing ${kind}`, (onProgress) =>
    untilInterrupted(async (signal) => {
      const refused: Refused[] = [];
      const query = {
        mode: options.mode,
        format: format === 'kamailio' ? 'kamailio' : 'plain',
        dry_run: options.dryRun,
        from_line: options.fromLine,
        batch_rows: options.batchRows,
        set: options.set ?? [],
        reason: options.reason,
      };
      let sentBytes = 0;
      const bytes = readBytes(file, (count) => (sentBytes += count));
      const chunks = { type: format === 'ndjson' ? ndjsonType : csvType, bytes };
      const answers = api.stream('POST', `/v1/import/${kind}`, {
        chunks,
        query,
        answer: importLineSchema,
        signal,
      });
      for await (const line of answers) {
        if (line.type === 'done') return { done: line, refused };
        if (line.type === 'refused') refused.push(line);
        else onProgress({ done: line.rows, bytes: sentBytes, total: estimate(line.rows, sentBytes, total) });
      }
      throw new DualhomeError('API_ANSWER_INVALID', {
        detail: 'the answer ended before the import was done',
      });
    }),
  );
}

/** Rows of the whole file, from how many its first part had. */
function estimate(rows: number, sentBytes: number, totalBytes: number | undefined): number | undefined {
  return totalBytes === undefined || sentBytes === 0
    ? undefined
    : Math.round((rows * totalBytes) / sentBytes);
}

function formatOf(file: string): Format {
  if (file.endsWith('.csv')) return 'csv';
  if (file.endsWith('.ndjson') || file.endsWith('.jsonl')) return 'ndjson';
  throw new DualhomeError('CLI_USAGE', {
    detail: `What is in ${file}? Say --format csv, ndjson or kamailio.`,
  });
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    throw new DualhomeError('CLI_USAGE', { detail: messageOf(cause), cause });
  }
}

async function* readBytes(file: string, onBytes: (count: number) => void): AsyncGenerator<Uint8Array> {
  const stream = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 262_144 });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    onBytes(chunk.length);
    yield chunk;
  }
}

function render(done: ImportDone, refused: readonly Refused[], dryRun: boolean): string {
  const faults = refused.flatMap(({ line, faults: found }) =>
    found.map(
      ({ column, message }) => `line ${formatCount(line)}${column === null ? '' : `, ${column}`}: ${message}`,
    ),
  );
  const verb = dryRun ? 'checked' : 'imported';
  const summary = `${formatQuantity(done.rows, 'row')} ${verb}, ${formatCount(done.changed)} ${dryRun ? 'would change' : 'changed'}`;
  const tail =
    done.resumeFrom === null
      ? dryRun || done.seq === 0
        ? []
        : [`last event ${formatCount(done.seq)}`]
      : [
          `ended before line ${formatCount(done.resumeFrom)}; when it is mended: --from-line ${done.resumeFrom}`,
        ];
  const more = faults.length - faultsShownMax;
  return [
    ...faults.slice(0, faultsShownMax),
    ...(more > 0 ? [`... and ${formatQuantity(more, 'fault')} more; --json lists them`] : []),
    [summary, ...tail].join('; '),
  ].join('\n');
}
