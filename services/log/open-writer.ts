import { RunningState } from '../platform/lifecycle/backoff.ts';
import { isConnectionLost } from '../platform/postgres/failures.ts';
import { Appender } from './appender.ts';
import { GroupWriter } from './group-writer.ts';
import type { GroupFacts, LogEnd, WriterLimits } from './group-writer.ts';
import { KeptSession } from './kept-session.ts';
import type { Planner, RowsWanted } from './planner.ts';
import { readRows } from './read-rows.ts';
import type { RowVersions } from './row-versions.ts';
import { Witness } from './witness.ts';

/** How long a writer that is closed waits for the database, before it leaves outcomes unknown. */
const CLOSE_WITHIN_MS = 4_000;

const readBackoff = { initialMs: 20, maxMs: 1_000, factor: 2, jitter: 0.5 };

export type OpenWriterOptions<Request, Answer> = {
  /** Database of the log, as the role that may write it. */
  readonly url: string;
  /** Schema of the log, where it is not the default one. */
  readonly schema?: string | undefined;
  readonly applicationName: string;
  /** NOTIFYed with the seq after each commit; see `logChannel`. */
  readonly channel: string;
  readonly planner: Planner<Request, Answer>;
  /** Gives the rows wanted where the caller holds them; by default they are read from the database. */
  readonly read?: ((wanted: readonly RowsWanted[]) => Promise<RowVersions>) | undefined;
  readonly witnessFile: string;
  readonly limits?: Partial<WriterLimits> | undefined;
  readonly onGroup?: ((facts: GroupFacts) => void) | undefined;
  readonly onTrouble: (error: unknown) => void;
};

/** A writer of a log with its connections and its witness; disposing of it answers what it has taken. */
export type OpenWriter<Request, Answer> = AsyncDisposable & {
  readonly writer: GroupWriter<Request, Answer>;
};

/** Begins to write a log where `openHomeLog` says it ends. */
export function openWriter<Request, Answer>(
  end: LogEnd,
  options: OpenWriterOptions<Request, Answer>,
): OpenWriter<Request, Answer> {
  const { url, schema, applicationName, channel, planner, limits, onGroup, onTrouble } = options;
  const abandoned = new AbortController();
  const stack = new AsyncDisposableStack();
  const connection = { url, schema, applicationName: `${applicationName} writer` };
  const appender = stack.use(new Appender({ ...connection, channel, signal: abandoned.signal, onTrouble }));
  const session = stack.use(
    new KeptSession({ ...connection, applicationName: `${applicationName} look-up` }),
  );
  const writer = new GroupWriter<Request, Answer>({
    end,
    planner,
    read: options.read ?? ((wanted) => readPatiently(session, wanted, abandoned.signal, onTrouble)),
    append: (run, changes) => appender.append(run, changes),
    limits,
    onGroup,
  });
  stack.use(new Witness({ path: options.witnessFile, head: () => writer.head, onError: onTrouble }));
  stack.defer(async () => {
    const limit = setTimeout(() => abandoned.abort(), CLOSE_WITHIN_MS);
    await writer.drain();
    clearTimeout(limit);
  });
  return { writer, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Reads rows, again and again while the database is away. */
async function readPatiently(
  session: KeptSession,
  wanted: readonly RowsWanted[],
  signal: AbortSignal,
  onTrouble: (error: unknown) => void,
): Promise<RowVersions> {
  const state = new RunningState({ parent: signal, policy: readBackoff });
  for (;;) {
    try {
      return await readRows(await session.open(), wanted);
    } catch (error) {
      if (!isConnectionLost(error) || !state.running) throw error;
      onTrouble(error);
      await state.backoff();
    }
  }
}
