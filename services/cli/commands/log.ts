import type { Command } from 'commander';
import {
  incarnationBegunAnswerSchema,
  incarnationListSchema,
  logEventsMax,
  logPageSchema,
} from '../../protocol/rest/log.ts';
import type { LogEvent, LogPage } from '../../protocol/rest/log.ts';
import type { LogName } from '../../protocol/names.ts';
import type { HttpClient } from '../../platform/http/client.ts';
import { openApi } from '../connection.ts';
import { untilInterrupted } from '../interrupt.ts';
import { logOption, wholeNumber } from '../options.ts';
import { formatCount, formatTime } from '../output/format.ts';
import { describeEvent, renderEvents } from '../output/event-screen.ts';
import { formatTable } from '../output/table.ts';
import { addVerb } from '../verb.ts';
import { addReplay } from './log-replay.ts';
import { addVerify } from './log-verify.ts';

const waitSeconds = 20;

type LogOptions = { readonly log: LogName };

type ShowOptions = LogOptions & {
  readonly after: number | undefined;
  readonly limit: number;
  readonly subject: string | undefined;
};

/** `dualhome log …`: the log of a site, for audit. */
export function addLogVerbs(parent: Command): void {
  const log = parent
    .command('log')
    .description('Read, prove and replay the logs of configuration and registrations');
  addShow(log);
  addTail(log);
  addReplay(log);
  addVerify(log);
  addIncarnations(log);
}

function addShow(log: Command): void {
  addVerb<ShowOptions>(log, {
    name: 'show',
    description: 'Events of the log in order: who changed what, when and why; the newest unless told',
    examples: [
      'log show',
      'log show --after 1000 --limit 50',
      'log show --subject subscriber/alice@example.net --json',
      'log show --log registration',
    ],
    define: (command) =>
      command
        .addOption(logOption())
        .option('--after <seq>', 'events behind this one', wholeNumber(0))
        .option('--limit <events>', 'at most so many', wholeNumber(1, logEventsMax), 20)
        .option('--subject <subject>', 'only events about it: subscriber/alice@example.net'),
    run: async (out, options) => {
      const { log: name, limit, subject } = options;
      using api = await openApi(options);
      const after = options.after ?? (subject === undefined ? await lastButBy(api, name, limit) : 0);
      const page = await readPage(api, { log: name, after, limit, subject });
      out.result(page, () => (page.events.length === 0 ? 'No events' : renderEvents(out, page.events)));
      if (page.next < page.head) out.note(`More: --after ${page.next} (head ${formatCount(page.head)})`);
    },
  });
}

function addTail(log: Command): void {
  addVerb<LogOptions & { readonly subject: string | undefined }>(log, {
    name: 'tail',
    description: 'New events as they come, until Ctrl-C; with --json one line each',
    examples: ['log tail', 'log tail --json'],
    define: (command) => command.addOption(logOption()).option('--subject <subject>', 'only events about it'),
    run: async (out, options) => {
      using api = await openApi(options);
      const { log: name, subject } = options;
      let after = (await readPage(api, { log: name, after: 0, limit: 1 })).head;
      const show = (event: LogEvent): void => out.result(event, () => describeEvent(out, event));
      await untilInterrupted(async (signal) => {
        while (!signal.aborted) {
          const page = await readPage(api, { log: name, after, limit: 100, subject, waitSeconds }, signal);
          page.events.forEach(show);
          after = page.next;
        }
      });
    },
  });
}

function addIncarnations(log: Command): void {
  addVerb<LogOptions>(log, {
    name: 'incarnations',
    description: 'Where the log began anew, and from which point of which history',
    examples: ['log incarnations'],
    define: (command) => command.addOption(logOption()),
    run: async (out, options) => {
      using api = await openApi(options);
      const answer = await api.request('GET', '/v1/log/incarnations', {
        query: { log: options.log },
        answer: incarnationListSchema,
      });
      const rows = answer.incarnations.map(({ incarnation, firstSeq, parent, begun, reason }) => [
        incarnation,
        formatCount(firstSeq),
        parent === null ? '' : `${parent.incarnation.slice(0, 8)} at ${formatCount(parent.seq)}`,
        formatTime(begun),
        reason,
      ]);
      const heads = [
        { head: 'INCARNATION' },
        { head: 'FROM', right: true },
        { head: 'PARENT' },
        { head: 'BEGUN' },
      ];
      out.result(answer, () => formatTable([...heads, { head: 'REASON' }], rows));
    },
  });
  addVerb<LogOptions & { readonly reason: string }>(log, {
    name: 'begin-incarnation',
    description:
      'Accept a log as it is, after a restore, and go on from there; both sites say so before and after',
    examples: [
      'log begin-incarnation --reason "restored from the backup of 2026-11-20"',
      'log begin-incarnation --log registration --reason "shared was lost with its disk"',
    ],
    define: (command) =>
      command.addOption(logOption()).requiredOption('--reason <text>', 'why; part of the event'),
    run: async (out, options) => {
      using api = await openApi(options);
      const position = await api.request('POST', '/v1/log/incarnations', {
        body: { log: options.log, reason: options.reason },
        answer: incarnationBegunAnswerSchema,
      });
      out.result(
        position,
        () => `Incarnation ${position.incarnation} begins at event ${formatCount(position.seq)}.`,
      );
    },
  });
}

type PageWish = {
  readonly log: LogName;
  readonly after: number;
  readonly limit: number;
  readonly subject?: string | undefined;
  readonly waitSeconds?: number | undefined;
};

function readPage(
  api: HttpClient,
  { waitSeconds: wait_seconds, ...wish }: PageWish,
  signal?: AbortSignal,
): Promise<LogPage> {
  const query = { ...wish, wait_seconds };
  return api.request('GET', '/v1/log/events', { query, answer: logPageSchema, signal });
}

async function lastButBy(api: HttpClient, log: LogName, limit: number): Promise<number> {
  const { head } = await readPage(api, { log, after: 0, limit: 1 });
  return Math.max(0, head - limit);
}
