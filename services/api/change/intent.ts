import type { Kind } from '../../model/kind.ts';
import type { Row } from '../../model/table.ts';
import type { Actor } from '../../protocol/event.ts';

/** What is to become of one row. */
export type Intent = {
  readonly op: 'put' | 'merge' | 'delete';
  readonly key: string;
  /** `put`: the complete row; `merge`: the fields that are replaced. Secrets are sealed. */
  readonly fields: Row;
  /** Secret fields that stay as they are. */
  readonly kept: readonly string[];
  /** Refused unless the row has this seq; 0: unless there is none. */
  readonly ifSeq?: number | undefined;
  /** Where it was read, for messages: `body`, `line 7`. */
  readonly where: string;
};

/** Rows of one kind that change together, in one event: all of them or none. */
export type ChangeRequest = {
  readonly kind: Kind;
  readonly intents: readonly Intent[];
  readonly actor: Actor;
  readonly reason: string;
};

/** `seq` is that of the event, or where nothing changed of the last row as it was (0: there was none). */
export type ChangeAnswer = { readonly seq: number; readonly rowsChanged: number };
