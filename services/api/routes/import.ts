import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { ndjsonType } from '../../platform/http/ndjson.ts';
import type { Kind } from '../../model/kind.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Actor } from '../../protocol/event.ts';
import { csvType, importQuerySchema } from '../../protocol/rest/import.ts';
import type { ImportLine, ImportQuery } from '../../protocol/rest/import.ts';
import { allow } from '../access.ts';
import { parseIntent, requireKind } from '../change/parse-change.ts';
import type { ApiContext } from '../context.ts';
import { cellValue } from '../import/csv-values.ts';
import { csvDecoder, ndjsonDecoder } from '../import/decoder.ts';
import type { Values } from '../import/decoder.ts';
import { ImportRun } from '../import/import-run.ts';
import { subscriberOfKamailio } from '../import/kamailio.ts';
import { readLineBatches } from '../import/read-lines.ts';
import { submitBatch } from '../import/submit-batch.ts';
import { actorOf } from '../principal.ts';
import { incoming } from '../stream/incoming.ts';

const importParams = z.object({ kind: z.string().max(64) });

/** Rows of one kind by the million, as CSV or NDJSON. */
export function importRoutes(context: ApiContext): void {
  const { server, signal } = context;
  server.app.addContentTypeParser(csvType, (_request, body, done) => done(null, body));
  server.app.post(
    '/v1/import/:kind',
    {
      onRequest: allow(context, 'operator'),
      schema: {
        summary: 'Imports rows (text/csv or application/x-ndjson); answers with NDJSON while it goes on',
        params: importParams,
        querystring: importQuerySchema,
      },
    },
    async (request, reply) => {
      const { params, query, body, headers } = request;
      const kind = requireKind(params.kind);
      if (query.format === 'kamailio' && kind.name !== 'subscriber') {
        throw new DualhomeError('API_REQUEST_INVALID', {
          detail: 'format kamailio is for the kind subscriber',
        });
      }
      const csv = headers['content-type']?.startsWith(csvType) === true;
      const actor = actorOf(server.principalOf(request), request.ip);
      const stream = requireStream(body);
      const given = givenValues(kind, query.set);
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { 'content-type': ndjsonType, 'cache-control': 'no-store' });
      raw.flushHeaders();
      const run = importRun(context, { kind, query, csv, actor, stream, given, output: raw });
      const onStop = (): void => run.stop(new DualhomeError('LOG_CLOSED'));
      signal.addEventListener('abort', onStop);
      const done = await run.run();
      signal.removeEventListener('abort', onStop);
      raw.end(textOf(done), () => {
        if (!stream.complete) stream.destroy();
      });
      return reply;
    },
  );
}

type ImportRequest = {
  readonly kind: Kind;
  readonly query: ImportQuery;
  readonly csv: boolean;
  readonly actor: Actor;
  readonly stream: IncomingMessage;
  /** Values of fields that rows do not give. */
  readonly given: Values;
  readonly output: ServerResponse;
};

function importRun(context: ApiContext, request: ImportRequest): ImportRun {
  const { homeLog, sealer, config, signal } = context;
  const { kind, query, csv, actor, stream, given, output } = request;
  const { mode, reason, dry_run: dryRun, from_line: fromLine, batch_rows: batchRows } = query;
  const kamailio = query.format === 'kamailio';
  const merging = mode === 'merge';
  return new ImportRun({
    batches: readLineBatches(incoming(stream, signal), { fromLine, batchRows, hasHeader: csv }),
    fromLine,
    decoderOf: (header) => (csv ? csvDecoder(header ?? '', { kind, kamailio, merging }) : ndjsonDecoder),
    intentOf: (values, where) => {
      const mapped = kamailio ? subscriberOfKamailio(config.site, values) : values;
      return parseIntent(sealer, kind, { op: mode, row: { ...given, ...mapped } }, where);
    },
    submit: dryRun
      ? undefined
      : (intents, bytes) =>
          submitBatch((batch, size) => homeLog.submit(batch, size), { kind, intents, actor, reason }, bytes),
    emit: async (line) => {
      if (output.destroyed || output.write(textOf(line))) return;
      await Promise.race([once(output, 'drain'), once(output, 'close')]);
    },
  });
}

/** `field=value` pairs as values. @throws API_REQUEST_INVALID */
function givenValues(kind: Kind, pairs: readonly string[]): Values {
  const values: Record<string, unknown> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, at));
    if (!Object.hasOwn(kind.fields, name)) {
      throw new DualhomeError('API_REQUEST_INVALID', { detail: `set=${pair}: expected field=value` });
    }
    values[name] = cellValue(kind, name, pair.slice(at + 1), false);
  }
  return values;
}

function requireStream(body: unknown): IncomingMessage {
  if (typeof body === 'object' && body !== null && 'pipe' in body) return body as IncomingMessage;
  throw new DualhomeError('API_MEDIA_TYPE_UNSUPPORTED', { detail: `send ${csvType} or ${ndjsonType}` });
}

const textOf = (line: ImportLine): string => `${JSON.stringify(line)}\n`;
