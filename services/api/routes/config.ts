import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { changeDoneSchema } from '../../protocol/rest/changes.ts';
import {
  changeQuerySchema,
  configListQuerySchema,
  configPageSchema,
  configRowSchema,
  rowSchema,
} from '../../protocol/rest/config.ts';
import type { ConfigRow } from '../../protocol/rest/config.ts';
import type { Kind } from '../../model/kind.ts';
import { allow } from '../access.ts';
import { requireKind } from '../change/parse-change.ts';
import { isStorable } from '../change/parse-row.ts';
import { maskRow } from '../change/secrets.ts';
import { submitChange } from '../change/submit.ts';
import type { ApiContext } from '../context.ts';
import { actorOf } from '../principal.ts';
import { listRows, readRow } from '../store/rows.ts';
import type { StoredRow } from '../store/rows.ts';

const kindParams = z.object({ kind: z.string().max(64) });
const rowParams = kindParams.extend({ key: z.string().min(1).max(512).refine(isStorable) });

/** The rows of the configuration, one by one and in pages. */
export function configRoutes(context: ApiContext): void {
  const { server, home } = context;
  const { app } = server;

  app.get(
    '/v1/config/:kind',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Rows of a kind in the order of their keys',
        params: kindParams,
        querystring: configListQuerySchema,
        response: { 200: configPageSchema },
      },
    },
    async ({ params, query: { limit, ...range } }) => {
      const kind = requireKind(params.kind);
      const rows = await listRows(home, kind, range, limit);
      const next = rows.length === limit ? (rows.at(-1)?.key ?? null) : null;
      return { rows: rows.map((row) => shown(kind, row)), next };
    },
  );

  app.get(
    '/v1/config/:kind/:key',
    {
      onRequest: allow(context, 'viewer'),
      schema: { summary: 'One row', params: rowParams, response: { 200: configRowSchema } },
    },
    async ({ params }) => {
      const kind = requireKind(params.kind);
      const row = await readRow(home, kind, params.key);
      if (!row)
        throw new DualhomeError('CONFIG_NOT_FOUND', { detail: `${kind.name} ${params.key}`, facts: params });
      return shown(kind, row);
    },
  );

  app.put(
    '/v1/config/:kind/:key',
    {
      onRequest: allow(context, 'operator'),
      schema: {
        summary: 'Leaves exactly this row',
        params: rowParams,
        querystring: changeQuerySchema,
        body: rowSchema,
        response: { 200: changeDoneSchema },
      },
    },
    (request) => {
      const { params, query, body, ip } = request;
      const actor = actorOf(server.principalOf(request), ip);
      return submitChange(
        context,
        { op: 'put', ...params, row: body, ...query },
        { actor, wait: query.wait },
      );
    },
  );

  app.delete(
    '/v1/config/:kind/:key',
    {
      onRequest: allow(context, 'operator'),
      schema: {
        summary: 'Removes a row; one that is not there is no error',
        params: rowParams,
        querystring: changeQuerySchema,
        response: { 200: changeDoneSchema },
      },
    },
    (request) => {
      const { params, query, ip } = request;
      const actor = actorOf(server.principalOf(request), ip);
      return submitChange(context, { op: 'delete', ...params, ...query }, { actor, wait: query.wait });
    },
  );
}

function shown(kind: Kind, { key, seq, row }: StoredRow): ConfigRow {
  return { kind: kind.name, key, seq, row: maskRow(kind, row) };
}
