import {
  callExplainQuerySchema,
  callExplanationSchema,
  dispatchExplainQuerySchema,
  dispatchExplanationSchema,
  dispatchTableSchema,
} from '../../protocol/rest/dispatch.ts';
import { allow } from '../access.ts';
import type { ApiContext } from '../context.ts';

/** How requests are dispatched to the processors, as the front says. */
export function dispatchRoutes(context: ApiContext): void {
  const { server, front } = context;
  server.app.get(
    '/v1/dispatch',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'The dispatch table in effect: processors and rules',
        response: { 200: dispatchTableSchema },
      },
    },
    () => front.dispatchTable(),
  );
  server.app.get(
    '/v1/dispatch/explain',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Which processor decides about an address of record, and why',
        querystring: dispatchExplainQuerySchema,
        response: { 200: dispatchExplanationSchema },
      },
    },
    ({ query }) => front.explainDispatch(query.aor),
  );
  server.app.get(
    '/v1/dispatch/explain-call',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'What would become of a call, step by step',
        querystring: callExplainQuerySchema,
        response: { 200: callExplanationSchema },
      },
    },
    ({ query }) => front.explainCall(query),
  );
}
