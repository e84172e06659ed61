import { join } from 'node:path';
import type { Command } from 'commander';
import { isDualhomeError } from '../../protocol/errors/index.ts';
import { showDemo, showOnce } from '../demo/demo.ts';
import { removePair } from '../demo/demo-pair.ts';
import { exitCodes } from '../exit-codes.ts';
import { untilInterrupted } from '../interrupt.ts';
import { addVerb } from '../verb.ts';

type DemoOptions = {
  readonly dir?: string | undefined;
  readonly once: boolean;
  readonly tour: boolean;
  readonly reset: boolean;
  readonly watch: boolean;
};

const defaultDirectory = join(import.meta.dirname, '..', '..', '..', 'data', 'demo');

/** `dualhome demo`, which is what `npm start` does. */
export function addDemoVerb(parent: Command): void {
  addVerb<DemoOptions>(parent, {
    name: 'demo',
    description: 'Two sites on this machine: a tour of what they do, then a live status until Ctrl-C',
    examples: ['demo', 'demo --once --json', 'demo --reset'],
    define: (command) =>
      command
        .option('--dir <directory>', 'where both sites are kept; data/demo of this clone, unless given')
        .option('--tour', 'show the tour again on the data that is there', false)
        .option('--reset', 'begin anew: delete the data that is there', false)
        .option(
          '--once',
          'the whole tour on temporary data, then stop; exit code 0 if all of it held',
          false,
        ),
    run: async (out, { dir = defaultDirectory, once, tour, reset, watch }) => {
      if (once) {
        const ok = await untilInterrupted((signal) => showOnce(out, signal));
        process.exitCode = ok ? exitCodes.success : exitCodes.failed;
        return;
      }
      if (reset) await removePair(dir);
      try {
        await untilInterrupted((signal) => showDemo(out, { directory: dir, tour, watch, signal }));
      } catch (error) {
        if (!isDualhomeError(error, 'CLI_INTERRUPTED')) throw error;
        process.stdout.write('\nStopped.\n');
      }
    },
  });
}
