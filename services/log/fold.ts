import type { LogName } from '../protocol/names.ts';
import type { TableChange } from '../model/table.ts';
import type { LoggedEvent } from './event.ts';

/** What makes a log the one it is: how its events change its tables. Pure. */
export type LogDefinition = {
  readonly name: LogName;
  /**
   * What the events change, per table the last state of each key, and the incarnation the last of
   * them belongs to where one of them began a new one.
   *
   * @throws EVENT_UNREADABLE with the seq of an event that is malformed or of an unknown format.
   */
  fold(events: readonly LoggedEvent[], firstSeq: number): Folded;
};

export type Folded = {
  readonly changes: readonly TableChange[];
  /** Positions at which an incarnation began, with the parent each claims. */
  readonly begun: readonly BegunAt[];
};

export type BegunAt = {
  readonly seq: number;
  readonly incarnation: string;
  readonly parent: { readonly incarnation: string; readonly seq: number; readonly hash: string } | null;
};
