import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chainRun } from '../../../services/log/event.ts';
import { configurationLog } from '../../../services/log/definition.ts';
import { incarnationBegunEvent, putting, rowsChangedEvent } from '../../../services/log/events.ts';
import type { EventContext } from '../../../services/log/events.ts';
import { number } from '../../../services/model/number.ts';
import { chainHash, genesisHash } from '../../../services/protocol/position.ts';

const incarnation = randomUUID();
const context = (seq: number): EventContext => ({
  site: 'c1',
  incarnation,
  seq,
  timeMs: 1_800_000_000_000 + seq,
  actor: { name: 'operator', role: 'operator' },
  reason: 'a test',
});
const row = (aor: string) => ({ number: '+49301234', aor });

describe('the fold of the configuration log', () => {
  it('keeps the last state of a key and the seq that made it', () => {
    const events = [
      rowsChangedEvent(configurationLog, number, [putting(number, null, row('a@c1.example'))], context(1)),
      rowsChangedEvent(
        configurationLog,
        number,
        [putting(number, row('a@c1.example'), row('b@c1.example'))],
        context(2),
      ),
    ];
    const { changes } = configurationLog.fold(events, 1);
    expect(changes).toEqual([
      { table: number.table, upserts: [{ row: row('b@c1.example'), seq: 2 }], deletes: [] },
    ]);
  });

  it('turns a last event without a row into a deletion', () => {
    const events = [
      rowsChangedEvent(configurationLog, number, [putting(number, null, row('a@c1.example'))], context(1)),
      rowsChangedEvent(
        configurationLog,
        number,
        [{ key: '+49301234', before: row('a@c1.example'), after: null }],
        context(2),
      ),
    ];
    const { changes } = configurationLog.fold(events, 1);
    expect(changes).toEqual([{ table: number.table, upserts: [], deletes: ['+49301234'] }]);
  });

  it('reports where an incarnation began and what it goes on from', () => {
    const parent = { incarnation: randomUUID(), seq: 6, hash: genesisHash };
    const { begun } = configurationLog.fold([incarnationBegunEvent(parent, context(7))], 7);
    expect(begun).toEqual([
      { seq: 7, incarnation, parent: { ...parent, hash: genesisHash.toString('hex') } },
    ]);
  });

  it.each([
    ['bytes that are no JSON', Buffer.from('{')],
    ['bytes that are no UTF-8', Buffer.from(readable().replace('a test', '\u00e4 test'), 'latin1')],
    ['JSON that is no event', Buffer.from('null')],
    ['an event of an unknown format', Buffer.from('{"dataschema":"urn:dualhome:event:99"}')],
    ['an event of an unknown kind', Buffer.from(readable().replace('config.number', 'config.unknown'))],
    ['a row that is a list', Buffer.from(readable().replace(/"after":\{.*?\}/, '"after":[]'))],
    ['an event without rows', Buffer.from(readable().replace(/"rows":\[.*\]/, '"rows":[]'))],
  ])('refuses %s and names the seq', (_, body) => {
    expect(() => configurationLog.fold([{ timeMs: 0, body }], 41)).toThrow(
      expect.objectContaining({ code: 'EVENT_UNREADABLE', facts: { seq: 41 } }),
    );
  });

  function readable(): string {
    return rowsChangedEvent(
      configurationLog,
      number,
      [putting(number, null, row('a@c1.example'))],
      context(1),
    ).body.toString();
  }
});

describe('a run of events', () => {
  it('continues the chain from where it starts', () => {
    const from = { incarnation, seq: 10, hash: genesisHash };
    const events = [1, 2].map((n) => ({ timeMs: n, body: Buffer.from(`event ${n}`) }));
    const run = chainRun(from, events);
    const first = chainHash(genesisHash, Buffer.from('event 1'));
    expect(run.hashes).toEqual([first, chainHash(first, Buffer.from('event 2'))]);
    expect(run.to).toEqual({ incarnation, seq: 12, hash: run.hashes[1] });
  });
});
