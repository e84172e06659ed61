import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { RunningState } from '../lifecycle/backoff.ts';
import { toClientConfig } from './connection.ts';
import { translate } from './failures.ts';

export type ListenOptions = {
  readonly url: string;
  readonly applicationName: string;
  readonly channels: readonly string[];
  readonly onNotify: (channel: string, payload: string) => void;
  /** Called each time listening has begun, the first included: notifications before it were missed, so look for yourself. */
  readonly onListening?: (() => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * After a notification none is taken for so long, then `onListening` is called: a channel that is notified all the time
   * costs server and listener no more than that.
   */
  readonly restMs?: number | undefined;
  /** Time between two signs of life asked of the server; default 5 s. */
  readonly heartbeatMs?: number | undefined;
};

const HEARTBEAT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 3_000;

/**
 * Listens until disposed of or aborted, over as many connections as it takes. A connection that does not answer a
 * heartbeat is given up, so that a peer gone without a FIN is noticed.
 */
export function listen(options: ListenOptions): AsyncDisposable {
  const state = new RunningState({ parent: options.signal });
  const done = run(options, state);
  return {
    async [Symbol.asyncDispose]() {
      state.stop();
      await done;
    },
  };
}

async function run(options: ListenOptions, state: RunningState): Promise<void> {
  while (state.running) {
    try {
      await listenOnce(options, state);
    } catch (error) {
      if (!state.running) return;
      options.onError?.(translate(error));
      await state.backoff();
    }
  }
}

/** One connection: LISTEN, then a heartbeat from time to time until it fails or we are stopped. */
async function listenOnce(options: ListenOptions, state: RunningState): Promise<void> {
  const {
    url,
    applicationName,
    channels,
    onNotify,
    onListening,
    restMs,
    heartbeatMs = HEARTBEAT_MS,
  } = options;
  const listenText = channels.map((channel) => `listen ${escapeIdentifier(channel)}`).join('; ');
  const config = toClientConfig({ url, applicationName, statementTimeoutMs: 0 });
  const client = new Client({ ...config, query_timeout: ANSWER_TIMEOUT_MS });
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  client.on('error', lost.reject);
  client.on('end', () => lost.reject(new Error('Connection terminated')));
  let resting = false;
  const rest = async (ms: number): Promise<void> => {
    resting = true;
    await client.query('unlisten *');
    await pause(ms, state.signal);
    if (!state.running) return;
    await client.query(listenText);
    resting = false;
    onListening?.();
  };
  client.on('notification', ({ channel, payload }) => {
    if (resting) return;
    onNotify(channel, payload ?? '');
    if (restMs !== undefined) rest(restMs).catch(lost.reject);
  });
  try {
    await client.connect();
    await client.query(listenText);
    state.succeeded();
    onListening?.();
    while (state.running) {
      await Promise.race([pause(heartbeatMs, state.signal), lost.promise]);
      if (state.running) await client.query('select 1');
    }
  } finally {
    await client.end();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
