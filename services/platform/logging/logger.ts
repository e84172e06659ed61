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

/** Lines that cannot be written wait in memory up to this, then the newest are dropped. */
const waitingBytesMax = 1_000_000;

/** A full disk or a closed pipe must not end a program: what cannot be logged is written when it can. */
function openDestination(to: LoggerOptions['to']): DestinationStream {
  if (typeof to === 'object' && !('file' in to)) return to;
  const dest = to === 'stdout' ? 1 : to === undefined ? 2 : to.file;
  const destination = pino.destination({ dest, sync: true, mkdir: true, maxLength: waitingBytesMax });
  destination.on('error', () => undefined);
  return destination;
}
