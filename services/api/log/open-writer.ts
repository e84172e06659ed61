import { Appender } from '../../log/appender.ts';
import { GroupWriter } from '../../log/group-writer.ts';
import type { GroupFacts, LogEnd } from '../../log/group-writer.ts';
import { KeptSession } from '../../log/kept-session.ts';
import type { RowsWanted } from '../../log/planner.ts';
import { readRows } from '../../log/read-rows.ts';
import type { RowVersions } from '../../log/row-versions.ts';
import { Witness } from '../../log/witness.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import { isConnectionLost } from '../../platform/postgres/failures.ts';
import type { ChangeAnswer, ChangeRequest } from '../change/intent.ts';
import { planChange } from '../change/plan-change.ts';

/** NOTIFYed with the seq after each commit; the synchronizer listens. */
const channel = 'dualhome_log';

/** How long a writer that is closed waits for the database, before it leaves outcomes unknown. */
const CLOSE_WITHIN_MS = 4_000;

const readBackoff = { initialMs: 20, maxMs: 1_000, factor: 2, jitter: 0.5 };

export type ConfigurationWriter = GroupWriter<ChangeRequest, ChangeAnswer>;

export type OpenWriterOptions = {
  readonly site: string;
  /** URL of `home`. */
  readonly url: string;
  readonly applicationName: string;
  readonly witnessFile: string;
  readonly onGroup: (facts: GroupFacts) => void;
  readonly onTrouble: (error: unknown) => void;
};

/** A writer of the configuration log with its connections and its witness; disposing of it answers what it has taken. */
export type OpenWriter = AsyncDisposable & { readonly writer: ConfigurationWriter };

export function openWriter(end: LogEnd, options: OpenWriterOptions): OpenWriter {
  const { site, url, applicationName, onGroup, onTrouble } = options;
  const abandoned = new AbortController();
  const stack = new AsyncDisposableStack();
  const connection = { url, applicationName: `${applicationName} writer` };
  const appender = stack.use(new Appender({ ...connection, channel, signal: abandoned.signal, onTrouble }));
  const session = stack.use(new KeptSession({ url, applicationName: `${applicationName} look-up` }));
  const writer: ConfigurationWriter = new GroupWriter({
    end,
    planner: {
      wanted: ({ kind, intents }) => ({ table: kind.table, keys: intents.map(({ key }) => key) }),
      plan: (request, rowOf, slot) => planChange(site, request, rowOf, slot),
    },
    read: (wanted) => readPatiently(session, wanted, abandoned.signal, onTrouble),
    append: (run, changes) => appender.append(run, changes),
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
