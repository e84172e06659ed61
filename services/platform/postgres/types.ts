import { types } from 'pg';

const { builtins } = types;
const TEXT_ARRAY_OID = 1009;
const INT8_ARRAY_OID = 1016;
const DATE_ARRAY_OID = 1182;
const TIMESTAMP_ARRAY_OID = 1115;

type Parser = (text: string) => unknown;
type TypeParsers = { getTypeParser(oid: number, format?: 'text' | 'binary'): Parser };

/** An int8 as a number. A value JavaScript cannot hold exactly is an error, never a rounded number. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} is not a safe integer`);
  return value;
}

const asText: Parser = (text) => text;
/** The driver's parsers; it types oids as an enum that lacks those of arrays. */
const defaults = types as unknown as TypeParsers;
const parseTextArray = defaults.getTypeParser(TEXT_ARRAY_OID, 'text');

function parseInt8Array(text: string): (number | null)[] {
  const items = parseTextArray(text) as (string | null)[];
  return items.map((item) => (item === null ? null : parseInt8(item)));
}

/** `date` and `timestamp` have no zone; as a Date they would take this process's, so they stay text. */
const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [builtins.INT8, parseInt8],
  [INT8_ARRAY_OID, parseInt8Array],
  [builtins.DATE, asText],
  [DATE_ARRAY_OID, parseTextArray],
  [builtins.TIMESTAMP, asText],
  [TIMESTAMP_ARRAY_OID, parseTextArray],
]);

/** int8: number; numeric: string; bytea: Buffer; timestamptz: Date; json, jsonb: parsed; arrays of them alike. */
export const typeParsers: TypeParsers = {
  getTypeParser: (oid, format) =>
    (format === 'binary' ? undefined : parsers.get(oid)) ?? defaults.getTypeParser(oid, format),
};

/** Every column as PostgreSQL's text. */
export const rawParsers: TypeParsers = { getTypeParser: () => asText };
