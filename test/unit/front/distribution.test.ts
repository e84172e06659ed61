import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Distribution } from '../../../services/front/distribution/distribution.ts';
import { seenText } from '../../../services/model/flow-preference.ts';
import type { Begun } from '../../../services/model/flow-preference.ts';
import type { FlowRow } from '../../../services/model/flow.ts';

const aor = 'bob@example.com';
const expiresS = Date.parse('2026-11-25T01:00:00.000Z') / 1000;

const aRow = (seen: readonly string[] = []): FlowRow => ({
  key: `${aor} desk 0`,
  aor,
  device: 'desk',
  reg_id: 0,
  owner: 'c1',
  contact: 'sip:bob@192.0.2.1',
  path: [],
  edge: 'sip:token@192.0.2.10',
  call_id: 'c',
  cseq: 1,
  q: 1000,
  user_agent: null,
  source: 'udp:192.0.2.1:5060',
  registered_at: '2026-11-25T00:00:00.000Z',
  expires_at: '2026-11-25T01:00:00.000Z',
  seen: [...seen],
  gone: false,
});

/** An event of a log, with all that came before it in its history. */
type Event = { readonly seq: number; readonly incarnation: string; readonly before: Event | undefined };

/** What may become of a log: events, or it is put back and goes on in a new incarnation. */
type Step = { readonly events: number } | { readonly putBackBy: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ events: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ putBackBy: fc.integer({ min: 0, max: 8 }) }),
  ),
  { minLength: 1, maxLength: 12 },
);

class History {
  head: Event = { seq: 1, incarnation: randomUUID(), before: undefined };
  /** Every event there ever was. */
  readonly all: Event[] = [this.head];

  run(step: Step): void {
    if ('putBackBy' in step) {
      for (let back = step.putBackBy; back > 0 && this.head.before; back -= 1) this.head = this.head.before;
      this.#append(randomUUID());
    } else for (let left = step.events; left > 0; left -= 1) this.#append(this.head.incarnation);
  }

  get present(): Event[] {
    return [...pastOf(this.head)].toReversed();
  }

  /** As the table of incarnations of the present history has it. */
  get begun(): Begun[] {
    const begun: Begun[] = [];
    for (const { incarnation, seq } of this.present) {
      if (begun.at(-1)?.incarnation !== incarnation) begun.push({ incarnation, firstSeq: seq });
    }
    return begun;
  }

  #append(incarnation: string): void {
    this.head = { seq: this.head.seq + 1, incarnation, before: this.head };
    this.all.push(this.head);
  }
}

function* pastOf(head: Event): Generator<Event> {
  for (let event: Event | undefined = head; event; event = event.before) yield event;
}

describe('a binding here and one of a peer', () => {
  it('stand to each other as what was applied of the peer says, whatever was put back', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (ofPeer, ofSeen, ofEvent) => {
        const history = new History();
        for (const step of ofPeer) history.run(step);
        const { present, begun, all } = history;
        const seen = all[ofSeen % all.length] ?? history.head;
        const event = present[ofEvent % present.length] ?? history.head;
        const distribution = new Distribution('c1', ['c2']);
        distribution.setBegun('c2', begun);
        distribution.put('c1', aRow([seenText({ site: 'c2', ...seen })]), 1);
        distribution.put('c2', aRow(), event.seq);
        const isKnown = [...pastOf(seen)].includes(event);
        // Nothing is known any longer of an incarnation that was given up with its beginning: both are kept.
        const isTold = begun.some(({ incarnation }) => incarnation === seen.incarnation);
        expect(distribution.rivalsOf(aRow())).toEqual(
          isKnown && isTold
            ? { unseen: false, supersededUntilS: expiresS }
            : { unseen: true, supersededUntilS: 0 },
        );
      }),
      { numRuns: 500 },
    );
  });

  it('do not know of each other where nothing was applied of the peer', () => {
    const distribution = new Distribution('c1', ['c2']);
    distribution.put('c1', aRow(), 1);
    distribution.put('c2', aRow(), 1);
    expect(distribution.rivalsOf(aRow())).toEqual({ unseen: true, supersededUntilS: 0 });
  });
});
