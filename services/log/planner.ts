import type { DualhomeError } from '../protocol/errors/index.ts';
import type { Row, Table } from '../model/table.ts';
import type { LoggedEvent } from './event.ts';
import type { RowVersion } from './row-versions.ts';

/** The rows of one table that a request is about. */
export type RowsWanted = { readonly table: Table; readonly keys: readonly string[] };

/** Where an event will stand if its request makes one. `timeMs` is not before that of the event before it. */
export type Slot = { readonly incarnation: string; readonly seq: number; readonly timeMs: number };

/** How a request ends: refused, or answered once everything its answer rests on is durable. */
export type Plan<Answer> =
  | { readonly refusal: DualhomeError }
  | { readonly answer: Answer; readonly change?: PlannedChange | undefined };

/** An event with the rows of `table` it leaves behind; null for one it deletes. */
export type PlannedChange = {
  readonly event: LoggedEvent;
  readonly table: Table;
  readonly rows: readonly { readonly key: string; readonly row: Row | null }[];
};

/** What a log's writer is told about its requests. Pure: a plan is thrown away when the one before it fails. */
export type Planner<Request, Answer> = {
  wanted(request: Request): RowsWanted;
  /** `rowOf` gives the rows wanted as they are before this request; undefined where there is none. */
  plan(request: Request, rowOf: (key: string) => RowVersion | undefined, slot: Slot): Plan<Answer>;
};
