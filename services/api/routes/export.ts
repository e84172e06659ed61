import { Readable } from 'node:stream';
import { z } from 'zod';
import { csvLine } from '../../platform/csv/records.ts';
import { ndjsonType } from '../../platform/http/ndjson.ts';
import type { FieldValue } from '../../model/field.ts';
import type { Kind } from '../../model/kind.ts';
import { exportQuerySchema } from '../../protocol/rest/export.ts';
import { csvType } from '../../protocol/rest/import.ts';
import { allow } from '../access.ts';
import { requireKind } from '../change/parse-change.ts';
import { maskRow } from '../change/secrets.ts';
import type { ApiContext } from '../context.ts';
import { cellText } from '../import/csv-values.ts';
import { exportRows } from '../store/export.ts';
import type { StoredRow } from '../store/rows.ts';

const exportParams = z.object({ kind: z.string().max(64) });

/** All rows of a kind, or a range of them, as a stream that can be imported again. */
export function exportRoutes(context: ApiContext): void {
  const { server, home } = context;
  server.app.get(
    '/v1/export/:kind',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary:
          'Rows at one point in time, as NDJSON or CSV; secrets show as a mark that keeps them when imported',
        params: exportParams,
        querystring: exportQuerySchema,
      },
    },
    async ({ params, query: { format, ...range } }, reply) => {
      const kind = requireKind(params.kind);
      const pages = exportRows(home, kind, range);
      reply.type(format === 'csv' ? csvType : ndjsonType);
      return reply.send(Readable.from(format === 'csv' ? csvPages(kind, pages) : ndjsonPages(kind, pages)));
    },
  );
}

type Pages = AsyncIterable<readonly StoredRow[]>;

async function* csvPages(kind: Kind, pages: Pages): AsyncGenerator<string> {
  const names = Object.keys(kind.fields);
  yield csvLine(names);
  for await (const rows of pages) {
    yield rows
      .map(({ row }) => maskRow(kind, row))
      .map((row) => csvLine(names.map((name) => cellText((row[name] ?? null) as FieldValue))))
      .join('');
  }
}

async function* ndjsonPages(kind: Kind, pages: Pages): AsyncGenerator<string> {
  for await (const rows of pages) {
    yield rows.map(({ row }) => `${JSON.stringify(maskRow(kind, row))}\n`).join('');
  }
}
