import { setTimeout as sleep } from 'node:timers/promises';
import { configurationLog } from '../../log/definition.ts';
import { readHead } from '../../log/head.ts';
import { readAfter } from '../../log/read.ts';
import { positionToJson } from '../../protocol/link/position-json.ts';
import {
  beginIncarnationSchema,
  incarnationBegunAnswerSchema,
  incarnationListSchema,
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

/** The configuration log, for audit. */
export function logRoutes(context: ApiContext): void {
  const { server, home, homeLog } = context;
  const { app } = server;

  app.get(
    '/v1/log/events',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Events of the log in order',
        querystring: logQuerySchema,
        response: { 200: logPageSchema },
      },
    },
    async ({ query }) => {
      const { after, limit, subject, wait_seconds: waitSeconds } = query;
      const deadlineMs = performance.now() + waitSeconds * 1000;
      while (performance.now() < deadlineMs && (await readHead(home)).seq <= after) await sleep(POLL_MS);
      return subject === undefined
        ? readPage(context, after, limit)
        : findEvents(context, after, limit, subject);
    },
  );

  app.get(
    '/v1/log/incarnations',
    {
      onRequest: allow(context, 'viewer'),
      schema: { summary: 'Where the log began anew', response: { 200: incarnationListSchema } },
    },
    async () => ({ incarnations: (await listIncarnations(home)).map(shown) }),
  );

  app.post(
    '/v1/log/incarnations',
    {
      onRequest: allow(context, 'admin'),
      schema: {
        summary: 'Accepts the log as it is now and goes on from there in a new incarnation',
        body: beginIncarnationSchema,
        response: { 201: incarnationBegunAnswerSchema },
      },
    },
    async (request, reply) => {
      const actor = actorOf(server.principalOf(request), request.ip);
      const head = await homeLog.beginIncarnation({ actor, reason: request.body.reason });
      reply.code(201);
      return positionToJson(head);
    },
  );
}

async function readPage({ home }: ApiContext, after: number, limit: number): Promise<LogPage> {
  const events = await readAfter(home, after, { eventsMax: limit, bytesMax: pageBytesMax });
  const { seq: head } = await readHead(home);
  return {
    events: events.map((event) => showEvent(configurationLog, event)),
    next: events.at(-1)?.seq ?? after,
    head,
  };
}

async function findEvents(
  { home }: ApiContext,
  after: number,
  limit: number,
  subject: string,
): Promise<LogPage> {
  const scanned = await readAfter(home, after, { eventsMax: scannedMax, bytesMax: pageBytesMax });
  const { seq: head } = await readHead(home);
  const events: LogEvent[] = [];
  for (const stored of scanned) {
    const event = showEvent(configurationLog, stored);
    if (!isAbout(configurationLog, event, subject)) continue;
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
