import { z } from 'zod';
import type { LogEvent } from '../../protocol/rest/log.ts';
import { formatCount, formatQuantity, formatTime } from './format.ts';
import type { Output } from './output.ts';
import { formatTable } from './table.ts';

const eventSchema = z.looseObject({
  subject: z.string(),
  data: z.looseObject({
    actor: z.looseObject({ name: z.string(), role: z.string() }),
    reason: z.string(),
    rows: z
      .array(
        z.object({
          key: z.string(),
          before: z.record(z.string(), z.unknown()).nullable(),
          after: z.record(z.string(), z.unknown()).nullable(),
        }),
      )
      .optional(),
  }),
});

type Row = NonNullable<z.infer<typeof eventSchema>['data']['rows']>[number];

/** One event as a line: `1,204  2026-11-23 12:34:56 UTC  admin  subscriber/alice@c1.example: display_name  (reason)`. */
export function describeEvent(out: Output, event: LogEvent): string {
  return cellsOf(out, event)
    .filter((cell) => cell !== '')
    .join('  ');
}

/** Events under each other. */
export function renderEvents(out: Output, events: readonly LogEvent[]): string {
  const heads = ['SEQ', 'TIME', 'BY', 'WHAT', 'CHANGE', 'REASON'];
  return formatTable(
    heads.map((head) => ({ head, right: head === 'SEQ' })),
    events.map((event) => cellsOf(out, event)),
  );
}

function cellsOf(out: Output, { seq, time, event }: LogEvent): readonly string[] {
  const parsed = eventSchema.safeParse(event);
  if (!parsed.success) return [formatCount(seq), formatTime(time), '', String(event['type'])];
  const { subject, data } = parsed.data;
  const { actor, reason, rows = [] } = data;
  return [formatCount(seq), out.style('dim', formatTime(time)), actor.name, subject, changeOf(rows), reason];
}

function changeOf(rows: readonly Row[]): string {
  const [first] = rows;
  if (!first) return '';
  if (rows.length > 1) return formatQuantity(rows.length, 'row');
  const { before, after } = first;
  if (!before) return 'added';
  if (!after) return 'deleted';
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field])).join(', ');
}
