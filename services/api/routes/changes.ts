import type { IncomingMessage } from 'node:http';
import { ndjsonType } from '../../platform/http/ndjson.ts';
import { changeDoneSchema, changeSchema, changesQuerySchema } from '../../protocol/rest/changes.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { allow } from '../access.ts';
import { faultsOf } from '../change/parse-row.ts';
import { submitChange } from '../change/submit.ts';
import type { ApiContext } from '../context.ts';
import { actorOf } from '../principal.ts';
import { serveChanges } from '../stream/serve-changes.ts';

/** One change as JSON, or a stream of them as NDJSON. */
export function changeRoutes(context: ApiContext): void {
  const { server, signal } = context;
  server.app.post(
    '/v1/changes',
    {
      onRequest: allow(context, 'operator'),
      schema: {
        summary:
          'One change (application/json), or a stream of them, each answered when durable (application/x-ndjson)',
        querystring: changesQuerySchema,
        response: { 200: changeDoneSchema },
      },
    },
    async (request, reply) => {
      const { reason, wait } = request.query;
      const actor = actorOf(server.principalOf(request), request.ip);
      const { body } = request;
      if (!isStream(body)) {
        const change = changeSchema.safeParse(body);
        if (!change.success) {
          const errors = faultsOf(change.error, 'body');
          throw new DualhomeError('API_REQUEST_INVALID', {
            detail: 'body is not a change',
            facts: { errors },
          });
        }
        return submitChange(context, { reason, ...change.data }, { actor, wait });
      }
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { 'content-type': ndjsonType, 'cache-control': 'no-store' });
      raw.flushHeaders();
      await serveChanges(
        body,
        raw,
        (change, { where, bytes }) =>
          submitChange(context, { reason, ...change }, { actor, wait, where, bytes }),
        signal,
      );
      raw.end(() => {
        if (!body.complete) body.destroy();
      });
      return reply;
    },
  );
}

function isStream(body: unknown): body is IncomingMessage {
  return typeof body === 'object' && body !== null && 'pipe' in body;
}
