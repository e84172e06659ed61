import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { serializeError } from './error-serializer.ts';
import { formatForTerminal } from './terminal.ts';

export type { Logger } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export type LoggerOptions = {
  readonly program: string;
  readonly site?: string | undefined;
  readonly level?: LogLevel | undefined;
  /** Lines for a person instead of JSON; without it, when standard error is a terminal. */
  readonly pretty?: boolean | undefined;
  /** Standard error where absent. */
  readonly to?: 'stdout' | { readonly file: string } | DestinationStream | undefined;
};

/**
 * Fields whose values never reach a log, at the top and one level below: the net under `Secret`, which is how
 * secrets are carried.
 */
const secretFields = ['password', 'secret', 'token', 'authorization', 'privateKey'];

/**
 * A program's root logger: one JSON line per event, written synchronously so that a line logged before a crash is
 * there after it. `child({ … })` and `setBindings({ … })` attach context once.
 */
export function createLogger({ program, site, level = 'info', pretty, to }: LoggerOptions): Logger {
  const human = pretty ?? (to === undefined && process.stderr.isTTY);
  const destination = openDestination(to);
  return pino(
    {
      level,
      base: { program, ...(site === undefined ? {} : { site }), pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => serializeError(error) },
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
    },
    human ? { write: (line) => destination.write(formatForTerminal(line)) } : destination,
  );
}

function openDestination(to: LoggerOptions['to']): DestinationStream {
  if (to === 'stdout') return pino.destination({ dest: 1, sync: true });
  if (to === undefined) return pino.destination({ dest: 2, sync: true });
  if ('file' in to) return pino.destination({ dest: to.file, mkdir: true, sync: true });
  return to;
}
