import type { Command } from 'commander';
import { exitCodeOf } from './exit-codes.ts';
import { Output } from './output/output.ts';

/** Options every verb has. */
export type CommonOptions = { readonly config: string; readonly json: boolean };

export type Verb<Options extends object, Args extends readonly unknown[]> = {
  readonly name: string;
  readonly description: string;
  /** Command lines shown in its help. */
  readonly examples: readonly string[];
  /** Adds its own arguments and options. */
  readonly define?: ((command: Command) => void) | undefined;
  readonly run: (out: Output, options: Options & CommonOptions, ...args: Args) => Promise<void> | void;
};

/** Adds a verb to `parent`; what it throws is printed and decides the exit code. */
export function addVerb<Options extends object = object, Args extends readonly unknown[] = []>(
  parent: Command,
  { name, description, examples, define, run }: Verb<Options, Args>,
): void {
  const command = parent.command(name).description(description);
  define?.(command);
  examplesOf.set(command, examples);
  command
    .option('-c, --config <file>', 'site.yaml of the site', defaultConfig)
    .option('--json', 'print JSON', false)
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ dualhome ${example}`).join('\n')}`)
    .action(async (...given: unknown[]) => {
      const options = command.opts<Options & CommonOptions>();
      const out = new Output(options.json);
      try {
        await run(out, options, ...(given.slice(0, -2) as unknown as Args));
      } catch (error) {
        out.error(error);
        process.exitCode = exitCodeOf(error);
      }
    });
}

const defaultConfig = 'site.yaml';
const examplesOf = new WeakMap<Command, readonly string[]>();

/** The examples of a verb, for the reference. */
export function verbExamples(command: Command): readonly string[] {
  return examplesOf.get(command) ?? [];
}
