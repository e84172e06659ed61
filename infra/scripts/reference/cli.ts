import type { Command } from 'commander';
import { createCommand } from '../../../services/cli/command.ts';
import { verbExamples } from '../../../services/cli/verb.ts';
import { markdownTable } from './markdown.ts';

/** Every verb of the command with its arguments, options and examples. */
export function cliReference(): string {
  const command = createCommand();
  const verbs = leavesOf(command, '');
  return [
    '# The dualhome command',
    'After `npm ci`: `npx dualhome …` in the project. Exit codes: 0 done, 1 failed, 2 refused (input or state forbids it), 3 unreachable. `--json` prints the result as JSON on standard output and an error as JSON on standard error.',
    '`-c FILE` names the site (default `./site.yaml`); verbs that talk to its api take its address and admin token from there, or from `DUALHOME_API` and `DUALHOME_TOKEN`.',
    ...verbs.map(({ path, verb }) => section(path, verb)),
  ].join('\n\n');
}

type Leaf = { readonly path: string; readonly verb: Command };

function leavesOf(command: Command, above: string): readonly Leaf[] {
  const path = `${above}${command.name()}`;
  if (command.commands.length === 0) return [{ path, verb: command }];
  return command.commands.flatMap((inner) => leavesOf(inner, `${path} `));
}

function section(path: string, verb: Command): string {
  const usage = `\`\`\`\n${path} ${verb.usage()}\n\`\`\``;
  const rows = [
    ...verb.registeredArguments.map((argument) => [`\`${argument.name()}\``, argument.description, '']),
    ...verb.options.map(({ flags, description, defaultValue, defaultValueDescription }) => [
      `\`${flags}\``,
      description,
      defaultValue === undefined || defaultValue === false
        ? ''
        : `\`${defaultValueDescription ?? String(defaultValue)}\``,
    ]),
  ];
  const examples = `\`\`\`sh\n${verbExamples(verb)
    .map((example) => `dualhome ${example}`)
    .join('\n')}\n\`\`\``;
  return [
    `## ${path}`,
    `${verb.description()}.`,
    usage,
    markdownTable(['argument or option', 'meaning', 'default'], rows),
    examples,
  ].join('\n\n');
}
