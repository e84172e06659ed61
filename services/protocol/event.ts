import { z } from 'zod';
import { siteNameSchema } from './names.ts';

/**
 * Version of the event format, carried as CloudEvents `dataschema`. A reader understands its own
 * version and the one before; anything else parks the lane.
 *
 * History: 1 - first format.
 */
export const eventFormat = 1;

/** Bytes of the largest event; whoever sends, stores or applies one counts on it. */
export const eventBytesMax = 1_048_576;

/** `dataschema` of an event of format `version`. */
export const dataSchemaOf = (version: number): string => `urn:dualhome:event:${version}`;

/** Who asked for a change: the authenticated name, its role (`device`: a registration), and where the request came from. */
export const actorSchema = z.strictObject({
  name: z.string().min(1).max(320),
  role: z.enum(['viewer', 'operator', 'admin', 'program', 'device']),
  from: z.string().max(128).optional(),
});
export type Actor = z.infer<typeof actorSchema>;

/** A log's identity beside its site: a new one begins when history before it may not be continued. */
export const incarnationSchema = z.uuid();

const hashHexSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** A row's fields, whatever they are; unlike `z.record` it makes no copy, which took longer than all other checks. */
const fieldsSchema = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'an object is expected',
);

/** One row an event changed; `before` is null for a row that was added, `after` for one deleted. */
const rowChangeSchema = z.strictObject({
  key: z.string(),
  before: fieldsSchema.nullable(),
  after: fieldsSchema.nullable(),
});
export type RowChange = z.infer<typeof rowChangeSchema>;

const envelope = {
  specversion: z.literal('1.0'),
  id: z.string(),
  source: siteNameSchema,
};

const occurrence = {
  subject: z.string().min(1).max(2048),
  time: z.iso.datetime({ precision: 3 }),
  dataschema: z.string(),
};

/** Rows of one kind changed together: one row, or one batch of an import. */
export const rowsChangedSchema = z.strictObject({
  ...envelope,
  type: z.string().regex(/^(config|registration)\.[a-z_]+\.changed$/),
  ...occurrence,
  data: z.strictObject({
    actor: actorSchema,
    reason: z.string().max(512),
    rows: z.array(rowChangeSchema).min(1),
  }),
});
export type RowsChanged = z.infer<typeof rowsChangedSchema>;

/** The first event of an incarnation; names the point of its parent from which it goes on. */
export const incarnationBegunSchema = z.strictObject({
  ...envelope,
  type: z.literal('log.incarnation.begun'),
  ...occurrence,
  data: z.strictObject({
    actor: actorSchema,
    reason: z.string().max(512),
    incarnation: incarnationSchema,
    parent: z
      .strictObject({ incarnation: incarnationSchema, seq: z.int().nonnegative(), hash: hashHexSchema })
      .nullable(),
  }),
});
export type IncarnationBegun = z.infer<typeof incarnationBegunSchema>;

/** What the types of a log's events begin with. */
export type EventPrefix = 'config' | 'registration';

/** CloudEvents `type` of a change of rows of `kind`. */
export const changedType = (prefix: EventPrefix, kind: string): string => `${prefix}.${kind}.changed`;

/** CloudEvents `id`: unique per source, also where two incarnations share a seq. */
export const eventId = (incarnation: string, seq: number): string => `${incarnation}/${seq}`;
