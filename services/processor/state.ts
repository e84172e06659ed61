import type { ErrorCode } from '../protocol/errors/index.ts';
import type { ProcessorState } from '../protocol/dispatch/messages.ts';

/** What is known about the configuration a processor answers from. */
export type Standing = {
  readonly role: 'home' | 'standby';
  /** Undefined before the configuration was read for the first time. */
  readonly position: { readonly incarnation: string; readonly seq: number } | undefined;
  /** At a standby: whether this copy was ever proven equal to home (invariant I8). */
  readonly proven: boolean;
  /** For how long the database has not answered; 0 while it does. */
  readonly silentMs: number;
};

/**
 * A restart of the database is sat out with what is in memory. Beyond it the devices are better off at their other site.
 */
export const silenceGraceMs = 10_000;

/** Whether the processor serves, and if not why. */
export function stateOf({ role, position, proven, silentMs }: Standing): ProcessorState {
  const state = (reason: ErrorCode | null): ProcessorState => ({
    kind: 'state',
    serving: reason === null,
    reason,
    configuration: position ? { incarnation: position.incarnation, seq: position.seq } : null,
  });
  if (!position) return state(silentMs > silenceGraceMs ? 'PROCESSOR_DATABASE_SILENT' : 'PROCESSOR_STARTING');
  if (role === 'standby' && !proven) return state('PROCESSOR_STANDBY_UNPROVEN');
  return state(silentMs > silenceGraceMs ? 'PROCESSOR_DATABASE_SILENT' : null);
}
