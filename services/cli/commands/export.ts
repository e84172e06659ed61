import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import { openApi } from '../connection.ts';
import { untilInterrupted } from '../interrupt.ts';
import { rangeOf, requireKind } from '../options.ts';
import { formatBytes } from '../output/format.ts';
import { withProgress } from '../output/progress.ts';
import { addVerb } from '../verb.ts';

type ExportOptions = {
  readonly format: 'csv' | 'ndjson';
  readonly output: string | undefined;
  readonly prefix: string | undefined;
  readonly keyRange: string | undefined;
};

/** `dualhome config export`: rows of one point in time, as a stream that can be imported again. */
export function addExport(config: Command): void {
  addVerb<ExportOptions, [kind: string]>(config, {
    name: 'export',
    description: 'Write the rows of a kind, all of one point in time; sealed fields show as a mark',
    examples: [
      'config export subscriber > subscribers.ndjson',
      'config export number --format csv -o numbers.csv',
    ],
    define: (command) =>
      command
        .argument('<kind>', 'kind of the rows')
        .addOption(
          new Option('--format <format>', 'of the output').choices(['csv', 'ndjson']).default('ndjson'),
        )
        .option('-o, --output <file>', 'instead of standard output')
        .option('--prefix <text>', 'only keys that begin with it')
        .option('--key-range <A..B>', 'only keys from A up to but without B'),
    run: async (out, options, name) => {
      const { format, prefix, keyRange, output } = options;
      const kind = requireKind(name);
      using api = await openApi(options);
      const query = { format, prefix, ...rangeOf(keyRange) };
      const bytes = await withProgress(out, `exporting ${kind.name}`, (onProgress) =>
        untilInterrupted(async (signal) => {
          let done = 0;
          const rows = api.download(`/v1/export/${kind.name}`, { query, signal });
          const counted = async function* (): AsyncGenerator<Buffer> {
            for await (const chunk of rows) {
              onProgress({ done: (done += chunk.length), bytes: done });
              yield chunk;
            }
          };
          if (output === undefined) await pipeline(counted(), process.stdout, { end: false });
          else await pipeline(counted(), createWriteStream(output));
          return done;
        }),
      );
      if (output !== undefined) out.result({ output, bytes }, () => `${output}: ${formatBytes(bytes)}`);
    },
  });
}
