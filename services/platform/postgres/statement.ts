import type { QueryConfig, QueryResult } from 'pg';
import { rawParsers, typeParsers } from './types.ts';

/** One SQL statement. A `name` makes it a prepared statement, parsed once per connection. */
export type Statement = {
  readonly name?: string | undefined;
  readonly text: string;
  /** A Buffer is sent in binary format, an object as JSON, an array as a PostgreSQL array. */
  readonly values?: readonly unknown[] | undefined;
  /** Columns come as PostgreSQL's text instead of being parsed. */
  readonly raw?: boolean | undefined;
};

export type Result<R = Record<string, unknown>> = {
  readonly rows: readonly R[];
  /** Rows returned or changed; 0 where the command has none. */
  readonly rowCount: number;
  /** First word of the command tag, such as `INSERT`; a COMMIT of a failed transaction answers `ROLLBACK`. */
  readonly command: string;
};

export interface Queryable {
  /** @throws DualhomeError POSTGRES_* for a lost connection, a refused login or a limit; the driver's error otherwise */
  query<R = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
  ): Promise<Result<R>>;
}

/** The protocol counts parameters in 16 bits; the driver would wrap around silently. */
const PARAMETERS_MAX = 65_535;

/** Makes everything that can fail on our side fail here, before a byte is sent (a pipeline depends on it). */
function toParameter(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value === undefined ? null : value;
  if (Buffer.isBuffer(value) || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return value.map(toParameter);
  return JSON.stringify(value);
}

export function toQueryConfig(statement: string | Statement, values?: readonly unknown[]): QueryConfig {
  const { name, text, raw, ...rest } = typeof statement === 'string' ? { text: statement } : statement;
  const parameters = values ?? rest.values;
  if (parameters && parameters.length > PARAMETERS_MAX) {
    throw new RangeError(`${parameters.length} parameters, at most ${PARAMETERS_MAX} are possible`);
  }
  const config: QueryConfig = { text, types: raw ? rawParsers : typeParsers };
  if (name !== undefined) config.name = name;
  if (parameters) config.values = parameters.map(toParameter);
  return config;
}

export function toResult<R>(result: QueryResult): Result<R> {
  return { rows: result.rows as R[], rowCount: result.rowCount ?? 0, command: result.command };
}
