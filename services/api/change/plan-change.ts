import { configurationLog } from '../../log/definition.ts';
import type { Change } from '../../log/events.ts';
import { rowsChangedEvent } from '../../log/events.ts';
import type { Plan, Slot } from '../../log/planner.ts';
import type { RowVersion } from '../../log/row-versions.ts';
import type { FieldValue } from '../../model/field.ts';
import type { Kind } from '../../model/kind.ts';
import type { Row } from '../../model/table.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { FieldError } from '../../protocol/errors/problem.ts';
import { eventBytesMax } from '../../protocol/event.ts';
import type { ChangeAnswer, ChangeRequest, Intent } from './intent.ts';
import { faultsOf } from './parse-row.ts';
import { maskRow } from './secrets.ts';

type RowOf = (key: string) => RowVersion | undefined;

/** What becomes of one row: a new state (null: deleted), none because it is so already, or a refusal. */
type Outcome = { readonly after: Row | null } | 'unchanged' | { readonly refusal: DualhomeError };

/** The event of a request, or none where all its rows are as they are asked to be. One row refused refuses all. */
export function planChange(
  site: string,
  { kind, intents, actor, reason }: ChangeRequest,
  rowOf: RowOf,
  slot: Slot,
): Plan<ChangeAnswer> {
  const changed = new Map<string, Row | null>();
  const changes: Change[] = [];
  let seq = 0;
  for (const intent of intents) {
    const version = rowOf(intent.key);
    const before = changed.get(intent.key) ?? (changed.has(intent.key) ? null : (version?.row ?? null));
    const outcome = decide(kind, intent, before, version?.seq ?? 0);
    if (outcome === 'unchanged') {
      seq = version?.seq ?? 0;
      continue;
    }
    if ('refusal' in outcome) return outcome;
    changes.push({ key: intent.key, before, after: outcome.after });
    changed.set(intent.key, outcome.after);
  }
  if (changes.length === 0) return { answer: { seq, rowsChanged: 0 } };
  const event = rowsChangedEvent(configurationLog, kind, changes, { site, actor, reason, ...slot });
  if (event.body.length > eventBytesMax) return { refusal: tooLarge(event.body.length) };
  const rows = changes.map(({ key, after }) => ({ key, row: after }));
  const answer = { seq: slot.seq, rowsChanged: changes.length };
  return { answer, change: { event, table: kind.table, rows } };
}

function decide(kind: Kind, intent: Intent, before: Row | null, seq: number): Outcome {
  const { ifSeq, op } = intent;
  if (ifSeq !== undefined && ifSeq !== (before ? seq : 0))
    return { refusal: stale(kind, intent, before, seq) };
  if (op === 'delete') return before ? { after: null } : 'unchanged';
  const after = before ? onTopOf(before, intent) : onNothing(kind, intent);
  if ('errors' in after) return { refusal: invalid(intent, after.errors) };
  return before && sameRow(kind, before, after.row) ? 'unchanged' : { after: after.row };
}

type Built = { readonly row: Row } | { readonly errors: readonly FieldError[] };

function onTopOf(before: Row, { op, fields, kept }: Intent): Built {
  if (op === 'merge') return { row: { ...before, ...fields } };
  if (kept.length === 0) return { row: fields };
  const row: Record<string, FieldValue> = { ...fields };
  for (const name of kept) row[name] = before[name] ?? null;
  return { row };
}

function onNothing(kind: Kind, { op, fields, kept, where }: Intent): Built {
  if (kept.length > 0) {
    const message = 'there is no row whose value could be kept';
    return { errors: kept.map((name) => ({ where, path: `/${name}`, message })) };
  }
  return op === 'put' ? { row: fields } : completed(kind, fields, where);
}

/** The fields given with the defaults of the others. Sealed secrets were checked before they were sealed. */
function completed(kind: Kind, fields: Row, where: string): Built {
  const given = Object.entries(fields);
  const open = given.filter(([name]) => !kind.fields[name]?.secret);
  const parsed = kind.schema.safeParse(Object.fromEntries(open));
  return parsed.success ? { row: { ...parsed.data, ...fields } } : { errors: faultsOf(parsed.error, where) };
}

/** Whether two rows of a kind have the same values. */
export function sameRow(kind: Kind, a: Row, b: Row): boolean {
  for (const name in kind.fields) if (!sameValue(a[name] ?? null, b[name] ?? null)) return false;
  return true;
}

function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function stale(kind: Kind, { key, ifSeq }: Intent, before: Row | null, seq: number): DualhomeError {
  const current = before && { seq, row: maskRow(kind, before) };
  return new DualhomeError('CONFIG_STALE', {
    detail: `${kind.name} ${key} was last changed by event ${before ? seq : 'none'}, not ${ifSeq}.`,
    facts: { kind: kind.name, key, current },
  });
}

/** The refusal that lists what is wrong with a row. */
export function invalid({ key }: { readonly key: string }, errors: readonly FieldError[]): DualhomeError {
  return new DualhomeError('CONFIG_INVALID', {
    detail: `${key}: ${errors.length} faults`,
    facts: { key, errors },
  });
}

function tooLarge(bytes: number): DualhomeError {
  return new DualhomeError('CONFIG_EVENT_TOO_LARGE', {
    detail: `The event has ${bytes} bytes, at most ${eventBytesMax} are possible.`,
    facts: { bytes, bytesMax: eventBytesMax },
  });
}
