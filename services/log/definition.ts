import type { EventPrefix, IncarnationBegun, RowsChanged } from '../protocol/event.ts';
import { changedType } from '../protocol/event.ts';
import type { LogName } from '../protocol/names.ts';
import type { Scope } from '../protocol/scope.ts';
import { flow } from '../model/flow.ts';
import { incarnationsTable } from '../model/incarnations.ts';
import type { Kind } from '../model/kind.ts';
import { kinds } from '../model/kinds.ts';
import type { Row, Table, TableChange } from '../model/table.ts';
import type { LoggedEvent } from './event.ts';
import { readEvent, unreadable } from './events.ts';
import { RowVersions } from './row-versions.ts';

/** Where an incarnation began among folded events. */
export type BegunAt = {
  readonly seq: number;
  readonly incarnation: string;
  readonly parent: IncarnationBegun['data']['parent'];
};

/** What consecutive events come to. */
export type Folded = { readonly changes: readonly TableChange[]; readonly begun: readonly BegunAt[] };

/**
 * What tells one log from another; everything else (append, chain, apply, snapshot, replay, comparison) is the same.
 * Invariant: the state of a log is the fold of its events, one table a kind and the list of incarnations.
 */
export class LogDefinition {
  readonly name: LogName;
  readonly eventPrefix: EventPrefix;
  readonly kinds: readonly Kind[];
  /** Every table the events fold into, in the order in which snapshots carry them. */
  readonly tables: readonly Table[];
  readonly #byType: ReadonlyMap<string, Kind>;

  constructor(name: LogName, eventPrefix: EventPrefix, ofKinds: readonly Kind[]) {
    this.name = name;
    this.eventPrefix = eventPrefix;
    this.kinds = ofKinds;
    this.tables = [...ofKinds.map(({ table }) => table), incarnationsTable];
    this.#byType = new Map(ofKinds.map((kind) => [changedType(eventPrefix, kind.name), kind]));
  }

  /** The kind whose rows an event of this type changes; undefined where it is not such an event. */
  kindOf(type: string): Kind | undefined {
    return this.#byType.get(type);
  }

  /** The tables of a scope; those of unknown kinds are left out. */
  tablesOf({ kinds: names }: Scope): readonly Table[] {
    if (!names) return this.tables;
    return names.flatMap((name) => this.kinds.find((kind) => kind.name === name)?.table ?? []);
  }

  /** What `events`, the first of which is `firstSeq`, come to. @throws EVENT_UNREADABLE */
  fold(events: readonly LoggedEvent[], firstSeq: number): Folded {
    const versions = new RowVersions();
    const begun: BegunAt[] = [];
    events.forEach(({ body, timeMs }, index) => {
      const seq = firstSeq + index;
      const event = readEvent(body, seq);
      if ('incarnation' in event.data) begun.push(begin(versions, { data: event.data, timeMs, seq }));
      else this.#foldRows(versions, event as RowsChanged, seq);
    });
    return { changes: versions.changes(), begun };
  }

  #foldRows(versions: RowVersions, { type, data }: RowsChanged, seq: number): void {
    const kind = this.kindOf(type);
    if (!kind) throw unreadable(seq, `unknown kind in ${type}`);
    for (const { key, after } of data.rows) versions.put(kind.table, key, { row: after as Row | null, seq });
  }
}

type Begun = {
  readonly data: IncarnationBegun['data'];
  readonly timeMs: number;
  readonly seq: number;
};

function begin(versions: RowVersions, { data, timeMs, seq }: Begun): BegunAt {
  const { incarnation, parent, reason } = data;
  const row = {
    incarnation,
    first_seq: seq,
    parent_incarnation: parent?.incarnation ?? null,
    parent_seq: parent?.seq ?? null,
    parent_hash: parent?.hash ?? null,
    begun: new Date(timeMs).toISOString(),
    reason,
  };
  versions.put(incarnationsTable, incarnation, { row, seq });
  return { seq, incarnation, parent };
}

/** NOTIFYed by a log's writer with the seq after each commit; a hint, reading by seq is the truth. */
export const logChannel: Readonly<Record<LogName, string>> = {
  configuration: 'dualhome_log',
  registration: 'dualhome_registrations',
};

/** What is configured, written by the api in `home`. */
export const configurationLog = new LogDefinition('configuration', 'config', kinds);

/** Who is registered here, written by the front in schema `own` of `shared`. */
export const registrationLog = new LogDefinition('registration', 'registration', [flow]);

const logs: Readonly<Record<LogName, LogDefinition>> = {
  configuration: configurationLog,
  registration: registrationLog,
};

export const logNamed = (name: LogName): LogDefinition => logs[name];
