import { decideSignal } from './stop-signals.ts';
import type { StopSignal } from './stop-signals.ts';

export type ProcessEvents = {
  /** A signal, or the parent that is connected by IPC died. */
  readonly onStop: (reason: string) => void;
  /** The same signal again. */
  readonly onForce: (signal: StopSignal) => void;
  /** An unhandled rejection or an uncaught exception: the state of the process is unknown. */
  readonly onDefect: (error: unknown) => void;
};

/** Listens to what the operating system and Node tell this process, until disposed. */
export function listenToProcess({ onStop, onForce, onDefect }: ProcessEvents): Disposable {
  const seen = new Map<StopSignal, number>();
  const listeners = {
    SIGTERM: () => onSignal('SIGTERM'),
    SIGINT: () => onSignal('SIGINT'),
    disconnect: () => onStop('parent is gone'),
    uncaughtException: onDefect,
    unhandledRejection: onDefect,
  } as const;

  function onSignal(signal: StopSignal): void {
    const nowMs = performance.now();
    const decision = decideSignal(seen, signal, nowMs);
    if (!seen.has(signal)) seen.set(signal, nowMs);
    if (decision === 'stop') onStop(signal);
    if (decision === 'force') onForce(signal);
  }

  for (const [event, listener] of Object.entries(listeners)) process.on(event, listener);
  return {
    [Symbol.dispose]() {
      for (const [event, listener] of Object.entries(listeners)) process.off(event, listener);
    },
  };
}
