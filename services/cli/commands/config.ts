import { Option } from 'commander';
import type { Command } from 'commander';
import { changeDoneSchema } from '../../protocol/rest/changes.ts';
import type { ChangeDone } from '../../protocol/rest/changes.ts';
import { configPageSchema, configRowSchema, waitSchema } from '../../protocol/rest/config.ts';
import type { Wait } from '../../protocol/rest/config.ts';
import { keyOf } from '../../model/kind.ts';
import type { Kind } from '../../model/kind.ts';
import { kinds } from '../../model/kinds.ts';
import { subscriber } from '../../model/subscriber.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { openApi } from '../connection.ts';
import { formatCount, formatQuantity } from '../output/format.ts';
import { formatFacts, formatTable } from '../output/table.ts';
import { passwordFields } from '../password.ts';
import { parseFields } from '../row-fields.ts';
import { addVerb } from '../verb.ts';
import { addExport } from './export.ts';
import { addImport } from './import.ts';
import { kindNames, rangeOf, requireKind, wholeNumber } from '../options.ts';

type ChangeOptions = {
  readonly reason: string;
  readonly wait: Wait;
  readonly ifSeq: number | undefined;
};

/** `dualhome config …`: the configuration of a site. */
export function addConfigVerbs(parent: Command): void {
  const config = parent.command('config').description('Read and change the configuration of a site');
  addKinds(config);
  addPut(config);
  addGet(config);
  addList(config);
  addDelete(config);
  addImport(config);
  addExport(config);
}

function addKinds(config: Command): void {
  addVerb<object, [kind: string | undefined]>(config, {
    name: 'kinds',
    description: 'What can be configured, and the fields of one kind',
    examples: ['config kinds', 'config kinds subscriber'],
    define: (command) => command.argument('[kind]', `one of ${kindNames.join(', ')}`),
    run: (out, _options, name) => {
      if (name === undefined) {
        const rows = kinds.map(({ name: kind, key, description }) => [kind, key, description]);
        out.result(
          kinds.map(({ name: kind, title, description, key }) => ({ kind, title, description, key })),
          () => formatTable([{ head: 'KIND' }, { head: 'KEY' }, { head: 'WHAT IT IS' }], rows),
        );
        return;
      }
      const { fields } = requireKind(name);
      const entries = Object.entries(fields).map(([field, { type, nullable, secret, description }]) => ({
        field,
        type,
        nullable,
        secret,
        description,
      }));
      const rows = entries.map(({ field, type, nullable, secret, description }) => [
        field,
        `${type}${nullable ? '?' : ''}${secret ? ' (sealed)' : ''}`,
        description,
      ]);
      out.result(entries, () =>
        formatTable([{ head: 'FIELD' }, { head: 'TYPE' }, { head: 'WHAT IT IS' }], rows),
      );
    },
  });
}

type PutOptions = ChangeOptions & { readonly row: string | undefined; readonly password: boolean };

function addPut(config: Command): void {
  addVerb<PutOptions, [kind: string, fields: readonly string[]]>(config, {
    name: 'put',
    description: 'Add a row, or replace the one with its key',
    examples: [
      'config put subscriber aor=alice@example.net home_site=c1 backup_site=c2 --reason "new customer"',
      'config put subscriber aor=alice@example.net home_site=c1 --password < password.txt',
      'config put route prefix=+49 class=national next_hops="sip:gw1.example.net sip:gw2.example.net"',
      `config put environment --row '{"name":"transit","value":"on"}' --wait applied`,
    ],
    define: (command) =>
      withChangeOptions(withKind(command))
        .argument('[fields...]', 'name=value, a list as "a b c"; see `dualhome config kinds KIND`')
        .option('--row <json>', 'the row as JSON instead of fields')
        .option(
          '--password',
          'of a subscriber: asks for the password, or reads it from standard input, and sets what stands for it (ha1)',
          false,
        ),
    run: async (out, options, name, fields) => {
      const kind = requireKind(name);
      const given = parseFields(kind, fields, options.row);
      if (options.password && kind !== subscriber) {
        throw new DualhomeError('CLI_USAGE', { detail: 'Only a subscriber has a password.' });
      }
      using api = await openApi(options);
      const secrets = options.password ? await passwordFields(keyOf(kind, given), api) : {};
      const row = { ...given, ...secrets };
      const done = await api.request('PUT', pathOf(kind, keyOf(kind, row)), {
        body: row,
        query: queryOf(options),
        answer: changeDoneSchema,
      });
      out.result(done, () => describeDone(done));
    },
  });
}

function addGet(config: Command): void {
  addVerb<object, [kind: string, key: string]>(config, {
    name: 'get',
    description: 'Show one row; sealed fields do not show',
    examples: ['config get subscriber alice@example.net'],
    define: (command) => withKind(command).argument('<key>', 'value of its key field'),
    run: async (out, options, name, key) => {
      using api = await openApi(options);
      const found = await api.request('GET', pathOf(requireKind(name), key), { answer: configRowSchema });
      out.result(found, () =>
        formatFacts([
          ...Object.entries(found.row).map(([field, value]) => [field, shown(value)] as const),
          ['last changed by', `event ${formatCount(found.seq)}`],
        ]),
      );
    },
  });
}

type ListOptions = {
  readonly prefix: string | undefined;
  readonly keyRange: string | undefined;
  readonly after: string | undefined;
  readonly limit: number;
};

function addList(config: Command): void {
  addVerb<ListOptions, [kind: string]>(config, {
    name: 'list',
    description: 'List rows in the order of their keys, a page at a time',
    examples: ['config list subscriber --prefix alice', 'config list number --limit 1000 --json'],
    define: (command) =>
      withKind(command)
        .option('--prefix <text>', 'only keys that begin with it')
        .option('--key-range <A..B>', 'only keys from A up to but without B')
        .option('--after <key>', 'begin after this key')
        .option('--limit <rows>', 'rows at most, up to 1,000', wholeNumber(1, 1_000), 100),
    run: async (out, options, name) => {
      const kind = requireKind(name);
      const { prefix, after, limit, keyRange } = options;
      using api = await openApi(options);
      const query = { prefix, after, limit, ...rangeOf(keyRange) };
      const page = await api.request('GET', `/v1/config/${kind.name}`, { query, answer: configPageSchema });
      const fields = Object.keys(kind.fields).filter((field) =>
        page.rows.some(({ row }) => shown(row[field])),
      );
      const rows = page.rows.map(({ seq, row }) => [
        ...fields.map((field) => shown(row[field]) ?? ''),
        formatCount(seq),
      ]);
      const columns = [
        ...fields.map((field) => ({ head: field.toUpperCase() })),
        { head: 'SEQ', right: true },
      ];
      out.result(page, () => (rows.length === 0 ? 'No rows' : formatTable(columns, rows)));
      if (page.next !== null) out.note(`More: --after ${page.next}`);
      else out.note(formatQuantity(rows.length, 'row'));
    },
  });
}

function addDelete(config: Command): void {
  addVerb<ChangeOptions, [kind: string, key: string]>(config, {
    name: 'delete',
    description: 'Remove a row; one that is not there is no error',
    examples: ['config delete subscriber alice@example.net --reason "contract ended"'],
    define: (command) => withChangeOptions(withKind(command)).argument('<key>', 'value of its key field'),
    run: async (out, options, name, key) => {
      using api = await openApi(options);
      const path = pathOf(requireKind(name), key);
      const done = await api.request('DELETE', path, { query: queryOf(options), answer: changeDoneSchema });
      out.result(done, () => describeDone(done));
    },
  });
}

function withKind(command: Command): Command {
  return command.argument('<kind>', `one of ${kindNames.join(', ')}`);
}

function withChangeOptions(command: Command): Command {
  return command
    .option('--reason <text>', 'why; part of the event', '')
    .addOption(
      new Option('--wait <until>', 'when the change counts as done: durable here, or applied at every peer')
        .choices(waitSchema.options)
        .default('local'),
    )
    .option(
      '--if-seq <seq>',
      'refuse unless this event changed the row last; 0: unless there is none',
      wholeNumber(0),
    );
}

function pathOf(kind: Kind, key: string): string {
  return `/v1/config/${kind.name}/${encodeURIComponent(key)}`;
}

function queryOf({ reason, wait, ifSeq }: ChangeOptions) {
  return { reason, wait, if_seq: ifSeq };
}

function describeDone({ seq, changed }: ChangeDone): string {
  return changed ? `Event ${formatCount(seq)}` : 'Nothing had to be changed';
}

function shown(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
