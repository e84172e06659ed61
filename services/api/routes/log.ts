import { setTimeout as sleep } from 'node:timers/promises';
import { logNamed } from '../../log/definition.ts';
import { readHead } from '../../log/head.ts';
import { readAfter } from '../../log/read.ts';
import type { Database } from '../../platform/postgres/database.ts';
import type { LogName } from '../../protocol/names.ts';
import { positionToJson } from '../../protocol/link/position-json.ts';
import {
  beginIncarnationSchema,
  incarnationBegunAnswerSchema,
  incarnationListSchema,
  logNameQuerySchema,
  logPageSchema,
  logQuerySchema,
} from '../../protocol/rest/log.ts';
import type { LogEvent, LogPage } from '../../protocol/rest/log.ts';
import { allow } from '../access.ts';
import type { ApiContext } from '../context.ts';
import { actorOf } from '../principal.ts';
import { isAbout, showEvent } from '../show-event.ts';
import { listIncarnations } from '../store/incarnations.ts';
import type { IncarnationRow } from '../store/incarnations.ts';

/** Bytes of events read for one page. */
const pageBytesMax = 8 * 1_048_576;

/** Events read for one page when most of them are about something else. */
const scannedMax = 5_000;

const POLL_MS = 100;

/** The logs of this site, for audit. */
export function logRoutes(context: ApiContext): void {
  const { server, logs, homeLog, front } = context;
  const { app } = server;

  app.get(
    '/v1/log/events',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Events of a log in order',
        querystring: logQuerySchema,
        response: { 200: logPageSchema },
      },
    },
    async ({ query }) => {
      const { log, after, limit, subject, wait_seconds: waitSeconds } = query;
      const database = logs[log];
      const deadlineMs = performance.now() + waitSeconds * 1000;
      while (performance.now() < deadlineMs && (await readHead(database)).seq <= after) await sleep(POLL_MS);
      return subject === undefined
        ? readPage(database, log, after, limit)
        : findEvents(database, log, { after, limit, subject });
    },
  );

  app.get(
    '/v1/log/incarnations',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Where a log began anew',
        querystring: logNameQuerySchema,
        response: { 200: incarnationListSchema },
      },
    },
    async ({ query: { log } }) => ({ incarnations: (await listIncarnations(logs[log])).map(shown) }),
  );

  app.post(
    '/v1/log/incarnations',
    {
      onRequest: allow(context, 'admin'),
      schema: {
        summary: 'Accepts a log as it is now and goes on from there in a new incarnation',
        body: beginIncarnationSchema,
        response: { 201: incarnationBegunAnswerSchema },
      },
    },
    async (request, reply) => {
      const actor = actorOf(server.principalOf(request), request.ip);
      const { log, reason } = request.body;
      const writer = log === 'registration' ? front : homeLog;
      const head = await writer.beginIncarnation({ actor, reason });
      reply.code(201);
      return positionToJson(head);
    },
  );
}

async function readPage(database: Database, log: LogName, after: number, limit: number): Promise<LogPage> {
  const events = await readAfter(database, after, { eventsMax: limit, bytesMax: pageBytesMax });
  const { seq: head } = await readHead(database);
  const definition = logNamed(log);
  return {
    events: events.map((event) => showEvent(definition, event)),
    next: events.at(-1)?.seq ?? after,
    head,
  };
}

type Search = { readonly after: number; readonly limit: number; readonly subject: string };

async function findEvents(
  database: Database,
  log: LogName,
  { after, limit, subject }: Search,
): Promise<LogPage> {
  const scanned = await readAfter(database, after, { eventsMax: scannedMax, bytesMax: pageBytesMax });
  const { seq: head } = await readHead(database);
  const definition = logNamed(log);
  const events: LogEvent[] = [];
  for (const stored of scanned) {
    const event = showEvent(definition, stored);
    if (!isAbout(definition, event, subject)) continue;
    events.push(event);
    if (events.length === limit) return { events, next: event.seq, head };
  }
  return { events, next: scanned.at(-1)?.seq ?? after, head };
}

function shown(row: IncarnationRow) {
  const { incarnation, first_seq: firstSeq, begun, reason } = row;
  const { parent_incarnation: parentIncarnation, parent_seq: seq, parent_hash: hash } = row;
  const parent =
    parentIncarnation !== null && seq !== null && hash !== null
      ? { incarnation: parentIncarnation, seq, hash }
      : null;
  return { incarnation, firstSeq, parent, begun, reason };
}
