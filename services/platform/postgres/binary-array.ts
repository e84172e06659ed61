/**
 * One-dimensional arrays in PostgreSQL's binary format (array_recv): int32 dimensions, flags,
 * element type, length, lower bound, then each element as int32 length and bytes, -1 for null.
 * pg sends a Buffer parameter as binary, so a whole column travels as one parameter without escaping.
 */
const headerBytes = 20;
const elementType = { bytea: 17, int8: 20, text: 25, timestamptz: 1184 } as const;

function writeHeader(target: Buffer, type: number, length: number, hasNull: boolean): void {
  target.writeInt32BE(1, 0);
  target.writeInt32BE(hasNull ? 1 : 0, 4);
  target.writeInt32BE(type, 8);
  target.writeInt32BE(length, 12);
  target.writeInt32BE(1, 16);
}

/** An array without elements has no dimensions. */
function emptyArray(type: number): Buffer {
  const target = Buffer.alloc(12);
  target.writeInt32BE(type, 8);
  return target;
}

/** `text[]`; cast it server-side where the column has another type. */
export function textArray(values: readonly (string | null)[]): Buffer {
  if (values.length === 0) return emptyArray(elementType.text);
  let bytes = headerBytes + 4 * values.length;
  for (const value of values) if (value !== null) bytes += Buffer.byteLength(value);
  const target = Buffer.allocUnsafe(bytes);
  let hasNull = false;
  let offset = headerBytes;
  for (const value of values) {
    if (value === null) {
      hasNull = true;
      offset = target.writeInt32BE(-1, offset);
    } else {
      const written = target.write(value, offset + 4);
      target.writeInt32BE(written, offset);
      offset += 4 + written;
    }
  }
  writeHeader(target, elementType.text, values.length, hasNull);
  return target;
}

/** `bytea[]`. */
export function byteaArray(values: readonly Buffer[]): Buffer {
  if (values.length === 0) return emptyArray(elementType.bytea);
  const bytes = values.reduce((sum, value) => sum + 4 + value.length, headerBytes);
  const target = Buffer.allocUnsafe(bytes);
  writeHeader(target, elementType.bytea, values.length, false);
  let offset = headerBytes;
  for (const value of values) {
    offset = target.writeInt32BE(value.length, offset);
    offset += value.copy(target, offset);
  }
  return target;
}

/** From safe integers: bigints took three times as long. */
function int64Array(type: number, values: readonly number[]): Buffer {
  if (values.length === 0) return emptyArray(type);
  const target = Buffer.allocUnsafe(headerBytes + 12 * values.length);
  writeHeader(target, type, values.length, false);
  let offset = headerBytes;
  for (const value of values) {
    const high = Math.floor(value / 2 ** 32);
    offset = target.writeInt32BE(8, offset);
    offset = target.writeInt32BE(high, offset);
    offset = target.writeUInt32BE(value - high * 2 ** 32, offset);
  }
  return target;
}

/** `int8[]`. */
export const int8Array = (values: readonly number[]): Buffer => int64Array(elementType.int8, values);

const postgresEpochMs = 946_684_800_000;

/** `timestamptz[]` from whole milliseconds since 1970. */
export const timestampArray = (timesMs: readonly number[]): Buffer =>
  int64Array(
    elementType.timestamptz,
    timesMs.map((ms) => (ms - postgresEpochMs) * 1000),
  );
