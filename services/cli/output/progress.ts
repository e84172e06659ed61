import cliProgress from 'cli-progress';
import { formatBytes, formatCount, formatDuration } from './format.ts';
import type { Output } from './output.ts';

/** How far something is. What is undefined is not known (yet). */
export type ProgressState = {
  readonly done: number;
  readonly total?: number | undefined;
  readonly bytes?: number | undefined;
  readonly phase?: string | undefined;
};

/** Told how far the work is, as often as it knows. */
export type OnProgress = (state: ProgressState) => void;

/** Work that takes less is not worth a bar. */
const showAfterMs = 2_000;

/**
 * A bar on standard error while `work` runs, if that is a terminal, nobody wants JSON, and it takes longer than two
 * seconds: `copying [====----] 41% | 41,000 of 100,000 | 12.3 MB | 20,500/s | 2.9 s left`.
 */
export async function withProgress<T>(
  out: Output,
  title: string,
  work: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  if (out.json || !process.stderr.isTTY) return work(() => undefined);
  const startedMs = performance.now();
  let bar: cliProgress.SingleBar | undefined;
  const show = (state: ProgressState): void => {
    const elapsedMs = performance.now() - startedMs;
    if (elapsedMs < showAfterMs) return;
    if (!bar) {
      bar = new cliProgress.SingleBar({
        format: formatBar,
        clearOnComplete: true,
        hideCursor: true,
        stream: process.stderr,
      });
      bar.start(state.total ?? 0, state.done);
    }
    bar.setTotal(state.total ?? 0);
    bar.update(state.done, { title, elapsedMs, ...state });
  };
  try {
    return await work(show);
  } finally {
    bar?.stop();
  }
}

type BarOptions = Parameters<typeof cliProgress.Format.BarFormat>[1];
type BarParams = { readonly value: number; readonly total: number; readonly progress: number };
type BarPayload = Partial<ProgressState> & { readonly title?: string; readonly elapsedMs?: number };

function formatBar(options: BarOptions, { value, total, progress }: BarParams, payload: BarPayload): string {
  const { title = '', phase, bytes, elapsedMs = 0 } = payload;
  const perSecond = elapsedMs > 0 ? (value * 1_000) / elapsedMs : 0;
  const leftMs = total > value && perSecond > 0 ? ((total - value) / perSecond) * 1_000 : undefined;
  const parts = [
    phase ?? title,
    ...(total > 0
      ? [`[${cliProgress.Format.BarFormat(progress, options)}] ${Math.floor(progress * 100)}%`]
      : []),
    total > 0 ? `${formatCount(value)} of ${formatCount(total)}` : formatCount(value),
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
    `${formatCount(Math.round(perSecond))}/s`,
    ...(leftMs === undefined ? [] : [`${formatDuration(leftMs)} left`]),
  ];
  return parts.join(' | ');
}
