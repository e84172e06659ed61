import type { DualhomeError, ErrorCode } from '../../protocol/errors/index.ts';
import type { Position } from '../../protocol/position.ts';
import type { Alarms } from '../ports.ts';
import { eventCodes, mismatchCodes } from './failure.ts';

const mismatchCodeList = Object.values(mismatchCodes);

/**
 * The alarms of one lane. Those of a run before this one may still be open, so each code is taken
 * for raised until it was cleared once.
 */
export class LaneAlarms {
  readonly #alarms: Alarms;
  readonly #subject: string;
  readonly #raised = new Set<ErrorCode>([...mismatchCodeList, ...eventCodes, 'LINK_STANDBY_RESTORED']);
  /** The standby was restored; what it had acknowledged before. */
  #restoredFrom: number | undefined;

  constructor(alarms: Alarms, subject: string) {
    this.#alarms = alarms;
    this.#subject = subject;
  }

  async parked({ code, detail, facts }: DualhomeError): Promise<void> {
    this.#raised.add(code);
    await this.#alarms.raise(code, this.#subject, detail ?? '', facts);
  }

  /** The standby is at `cursor`, but has acknowledged `witness`. */
  async restored(cursor: Position, witness: Position): Promise<void> {
    this.#restoredFrom = witness.seq;
    this.#raised.add('LINK_STANDBY_RESTORED');
    const detail = `It is at ${cursor.seq} and has acknowledged ${witness.seq}.`;
    await this.#alarms.raise('LINK_STANDBY_RESTORED', this.#subject, detail, {
      at: cursor.seq,
      was: witness.seq,
    });
  }

  /** The peer goes on from where this standby is. */
  async resumed(): Promise<void> {
    await this.#clear(mismatchCodeList);
  }

  /** Events up to `seq` are applied: those that could not be are among them. */
  async applied(seq: number): Promise<void> {
    await this.#clear(eventCodes);
    if (this.#restoredFrom === undefined || seq >= this.#restoredFrom)
      await this.#clear(['LINK_STANDBY_RESTORED']);
  }

  async #clear(codes: readonly ErrorCode[]): Promise<void> {
    for (const code of codes) {
      if (this.#raised.delete(code)) await this.#alarms.clear(code, this.#subject);
    }
  }
}
