import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Run } from '../../../services/log/event.ts';
import { GroupWriter } from '../../../services/log/group-writer.ts';
import type { WriterLimits } from '../../../services/log/group-writer.ts';
import type { Planner, RowsWanted } from '../../../services/log/planner.ts';
import { RowVersions } from '../../../services/log/row-versions.ts';
import { number } from '../../../services/model/number.ts';
import type { TableChange } from '../../../services/model/table.ts';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import { genesisHash, samePosition } from '../../../services/protocol/position.ts';
import type { Position } from '../../../services/protocol/position.ts';

const { table } = number;
const genesis: Position = { incarnation: '11111111-1111-4111-8111-111111111111', seq: 0, hash: genesisHash };

/** Appends `text` to the text under `key`; refused where it is not `ifText`. */
type Request = { readonly key: string; readonly text: string; readonly ifText?: string };
type Answer = { readonly seq: number; readonly text: string };

const planner: Planner<Request, Answer> = {
  wanted: ({ key }) => ({ table, keys: [key] }),
  plan: ({ key, text, ifText }, rowOf, { seq, timeMs }) => {
    const version = rowOf(key);
    const before = String(version?.row?.['aor'] ?? '');
    if (ifText !== undefined && ifText !== before) return { refusal: new DualhomeError('CONFIG_STALE') };
    const after = before + text;
    if (text === '') return { answer: { seq: version?.seq ?? 0, text: after } };
    const event = { timeMs, body: Buffer.from(`${key}:${after}`) };
    return {
      answer: { seq, text: after },
      change: { event, table, rows: [{ key, row: { number: key, aor: after } }] },
    };
  },
};

type Step = { readonly run: Run; readonly settle: PromiseWithResolvers<void> };

/** A database that answers when told to. */
class FakeDatabase {
  readonly rows = new RowVersions();
  readonly bodies: string[] = [];
  readonly appends: Step[] = [];
  readonly reads: PromiseWithResolvers<void>[] = [];
  head = genesis;
  manualReads = false;

  readonly read = async (wanted: readonly RowsWanted[]): Promise<RowVersions> => {
    const found = new RowVersions();
    for (const { keys } of wanted) {
      for (const key of keys) {
        const version = this.rows.get(table, key);
        if (version) found.put(table, key, version);
      }
    }
    if (this.manualReads) {
      const turn = Promise.withResolvers<void>();
      this.reads.push(turn);
      await turn.promise;
    }
    return found;
  };

  readonly append = async (run: Run, changes: readonly TableChange[]): Promise<void> => {
    const settle = Promise.withResolvers<void>();
    this.appends.push({ run, settle });
    await settle.promise;
    if (!samePosition(run.from, this.head)) throw new Error('not a continuation of the log');
    this.head = run.to;
    for (const { body } of run.events) this.bodies.push(body.toString());
    for (const { upserts } of changes) {
      for (const { row, seq } of upserts) this.rows.put(table, String(row['number']), { row, seq });
    }
  };

  writer(limits: Partial<WriterLimits> = {}, nowMs = () => 1_000): GroupWriter<Request, Answer> {
    return new GroupWriter({
      end: { head: genesis, lastTimeMs: 0 },
      planner,
      read: this.read,
      append: this.append,
      limits: { gatherMs: 0, ...limits },
      clock: { nowMs, monotonicMs: () => 0 },
    });
  }

  /** Waits for the next transaction that is sent. */
  async sent(count = 1): Promise<Step> {
    for (let turns = 0; this.appends.length < count && turns < 100; turns += 1) await turn();
    const step = this.appends[count - 1];
    if (!step) throw new Error(`only ${this.appends.length} transactions were sent`);
    return step;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const bodiesOf = ({ run }: Step): readonly string[] => run.events.map(({ body }) => body.toString());

describe('the group writer', () => {
  it('commits together what arrives while a group is being committed, and answers when it is durable', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    const first = writer.submit({ key: 'a', text: '1' }, 1);
    (await database.sent()).settle.promise.catch(() => undefined);
    const others = ['b', 'c', 'd'].map((key) => writer.submit({ key, text: '1' }, 1));
    for (let i = 0; i < 5; i += 1) await turn();
    expect(database.appends).toHaveLength(1);
    let answered = false;
    void first.then(() => (answered = true));
    await turn();
    expect(answered).toBe(false);

    database.appends[0]?.settle.resolve();
    expect(await first).toEqual({ seq: 1, text: '1' });
    const second = await database.sent(2);
    expect(bodiesOf(second)).toEqual(['b:1', 'c:1', 'd:1']);
    second.settle.resolve();
    expect(await Promise.all(others)).toEqual([2, 3, 4].map((seq) => ({ seq, text: '1' })));
    expect(writer.head).toEqual(database.head);
  });

  it('plans on top of the group that is being committed, though its rows were looked up before', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    const first = writer.submit({ key: 'a', text: '1' }, 1);
    const step = await database.sent();
    const second = writer.submit({ key: 'a', text: '2', ifText: '1' }, 1);
    for (let i = 0; i < 5; i += 1) await turn();
    step.settle.resolve();
    (await database.sent(2)).settle.resolve();
    expect([await first, await second].map(({ text }) => text)).toEqual(['1', '12']);
  });

  it('plans on top of groups that were committed while the rows were being looked up', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    database.manualReads = true;
    const first = writer.submit({ key: 'a', text: '1' }, 1);
    await turn();
    database.reads[0]?.resolve();
    const step = await database.sent();
    const second = writer.submit({ key: 'a', text: '2' }, 1);
    await turn();
    step.settle.resolve();
    await first;
    database.reads[1]?.resolve();
    (await database.sent(2)).settle.resolve();
    expect(await second).toEqual({ seq: 2, text: '12' });
  });

  it('looks up together what comes while a look-up is under way', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    database.manualReads = true;
    const answers = [writer.submit({ key: 'a', text: '1' }, 1)];
    await turn();
    for (const key of ['b', 'c']) {
      answers.push(writer.submit({ key, text: '1' }, 1));
      await turn();
    }
    expect(database.reads).toHaveLength(1);
    database.reads[0]?.resolve();
    (await database.sent()).settle.resolve();
    for (let i = 0; i < 5; i += 1) await turn();
    expect(database.reads).toHaveLength(2);
    database.reads[1]?.resolve();
    const step = await database.sent(2);
    expect(bodiesOf(step)).toEqual(['b:1', 'c:1']);
    step.settle.resolve();
    await Promise.all(answers);
  });

  it('has a group wait for those who were answered together', async () => {
    const database = new FakeDatabase();
    const writer = database.writer({ gatherMs: 60_000 });
    const answers = ['a', 'b'].map((key) => writer.submit({ key, text: '1' }, 1));
    (await database.sent()).settle.resolve();
    await Promise.all(answers);
    const again = [writer.submit({ key: 'a', text: '2' }, 1)];
    for (let i = 0; i < 5; i += 1) await turn();
    expect(database.appends).toHaveLength(1);
    again.push(writer.submit({ key: 'b', text: '2' }, 1));
    const step = await database.sent(2);
    expect(bodiesOf(step)).toEqual(['a:12', 'b:12']);
    step.settle.resolve();
    await Promise.all(again);
  });

  it('does not wait for long', async () => {
    const database = new FakeDatabase();
    const writer = database.writer({ gatherMs: 1 });
    const answers = ['a', 'b'].map((key) => writer.submit({ key, text: '1' }, 1));
    (await database.sent()).settle.resolve();
    await Promise.all(answers);
    const alone = writer.submit({ key: 'a', text: '2' }, 1);
    await vi.waitFor(() => expect(database.appends).toHaveLength(2));
    (await database.sent(2)).settle.resolve();
    expect(await alone).toEqual({ seq: 3, text: '12' });
  });

  it('answers a request that changes nothing only when what it rests on is durable', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    const change = writer.submit({ key: 'a', text: '1' }, 1);
    const step = await database.sent();
    const look = writer.submit({ key: 'a', text: '' }, 1);
    const stale = writer.submit({ key: 'a', text: 'x', ifText: '' }, 1);
    let answered = 0;
    void look.then(() => (answered += 1));
    stale.catch(() => (answered += 1));
    for (let i = 0; i < 5; i += 1) await turn();
    expect(answered).toBe(0);
    step.settle.resolve();
    expect(await look).toEqual({ seq: 1, text: '1' });
    await expect(stale).rejects.toMatchObject({ code: 'CONFIG_STALE' });
    expect(await change).toEqual({ seq: 1, text: '1' });
    expect(database.appends).toHaveLength(1);
  });

  it('plans again what rested on a group that failed, and tells only that group', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    const failing = writer.submit({ key: 'a', text: '1' }, 1);
    const step = await database.sent();
    const next = writer.submit({ key: 'a', text: '2' }, 1);
    for (let i = 0; i < 5; i += 1) await turn();
    step.settle.reject(new DualhomeError('POSTGRES_OUT_OF_RESOURCES'));
    await expect(failing).rejects.toMatchObject({ code: 'POSTGRES_OUT_OF_RESOURCES' });
    (await database.sent(2)).settle.resolve();
    expect(await next).toEqual({ seq: 1, text: '2' });
  });

  it('finds the one request whose data the database refuses, and makes the others', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    const blocking = writer.submit({ key: 'z', text: '0' }, 1);
    const step = await database.sent();
    const answers = ['a', 'poison', 'b'].map((key) => writer.submit({ key, text: '1' }, 1));
    const settled = Promise.allSettled(answers);
    for (let i = 0; i < 5; i += 1) await turn();
    step.settle.resolve();
    for (let count = 2; count <= 5; count += 1) {
      const group = await database.sent(count);
      if (bodiesOf(group).includes('poison:1')) group.settle.reject(new Error('invalid byte sequence'));
      else group.settle.resolve();
      await turn();
    }
    await blocking;
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(database.bodies).toEqual(['z:0', 'a:1', 'b:1']);
  });

  it('writes nothing more once it was fenced', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    const first = writer.submit({ key: 'a', text: '1' }, 1);
    const step = await database.sent();
    const second = writer.submit({ key: 'b', text: '1' }, 1);
    const settled = Promise.allSettled([first, second]);
    for (let i = 0; i < 5; i += 1) await turn();
    step.settle.reject(new DualhomeError('LOG_FENCED'));
    expect((await settled).map((each) => each.status)).toEqual(['rejected', 'rejected']);
    expect(await writer.stopped).toMatchObject({ code: 'LOG_FENCED' });
    await expect(writer.submit({ key: 'c', text: '1' }, 1)).rejects.toMatchObject({ code: 'LOG_FENCED' });
    expect(database.appends).toHaveLength(1);
  });

  it('refuses what does not fit into its queue, and names when to ask again', async () => {
    const database = new FakeDatabase();
    const writer = database.writer({ queuedMax: 2, queuedBytesMax: 100 });
    const taken = [writer.submit({ key: 'a', text: '1' }, 60), writer.submit({ key: 'b', text: '1' }, 40)];
    await expect(writer.submit({ key: 'c', text: '1' }, 1)).rejects.toMatchObject({
      code: 'LOG_BUSY',
      facts: { retryAfterSeconds: 1 },
    });
    (await database.sent()).settle.resolve();
    await Promise.all(taken);
    const large = writer.submit({ key: 'c', text: '1' }, 1_000);
    await expect(writer.submit({ key: 'd', text: '1' }, 1)).rejects.toMatchObject({ code: 'LOG_BUSY' });
    (await database.sent(2)).settle.resolve();
    expect(await large).toEqual({ seq: 3, text: '1' });
  });

  it('bounds a group by events and bytes, and takes the rest with the next', async () => {
    const database = new FakeDatabase();
    const writer = database.writer({ eventsMax: 2 });
    const answers = ['a', 'b', 'c', 'd', 'e'].map((key) => writer.submit({ key, text: '1' }, 1));
    for (const count of [1, 2, 3]) (await database.sent(count)).settle.resolve();
    await Promise.all(answers);
    expect(database.appends.map(({ run }) => run.events.length)).toEqual([2, 2, 1]);
  });

  it('never dates an event before the one before it, also when the clock goes back', async () => {
    const database = new FakeDatabase();
    const times = [5_000, 3_000, 4_000, 6_000];
    const writer = database.writer({}, () => times.shift() ?? 0);
    const stamps: number[] = [];
    for (let count = 1; count <= 4; count += 1) {
      const answer = writer.submit({ key: 'a', text: '1' }, 1);
      const step = await database.sent(count);
      stamps.push(...step.run.events.map(({ timeMs }) => timeMs));
      step.settle.resolve();
      await answer;
    }
    expect(stamps).toEqual([5_000, 5_000, 5_000, 6_000]);
  });

  it('answers all it has taken before it is drained', async () => {
    const database = new FakeDatabase();
    const writer = database.writer();
    const answer = writer.submit({ key: 'a', text: '1' }, 1);
    const drained = writer.drain();
    await expect(writer.submit({ key: 'b', text: '1' }, 1)).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    (await database.sent()).settle.resolve();
    await drained;
    expect(await answer).toEqual({ seq: 1, text: '1' });
  });

  it('is the same as doing one request after the other, however look-ups, commits and failures interleave', async () => {
    const request = fc.record({ key: fc.constantFrom('a', 'b', 'c'), text: fc.constantFrom('', 'x', 'y') });
    const action = fc.constantFrom('submit', 'read', 'commit', 'fail', 'turn');
    const property = fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 25 }),
      fc.array(action, { maxLength: 120 }),
      async (requests, actions) => {
        const database = new FakeDatabase();
        database.manualReads = true;
        const writer = database.writer({ eventsMax: 3, keysMax: 2 });
        const waiting = [...requests];
        const made: { request: Request; answer: Promise<Answer | undefined> }[] = [];
        const act = async (what: string): Promise<void> => {
          if (what === 'submit') {
            const next = waiting.shift();
            if (next) made.push({ request: next, answer: writer.submit(next, 1).catch(() => undefined) });
          }
          if (what === 'read') database.reads.shift()?.resolve();
          if (what === 'commit') database.appends.at(-1)?.settle.resolve();
          if (what === 'fail') database.appends.at(-1)?.settle.reject(new DualhomeError('POSTGRES_TIMEOUT'));
          await turn();
        };
        for (const what of actions) await act(what);
        while (waiting.length > 0) await act('submit');
        for (let i = 0; i < 100 && writer.queued > 0; i += 1) {
          for (const what of ['read', 'commit']) await act(what);
        }
        const texts = new Map<string, string>();
        const bodies: string[] = [];
        for (const { request: asked, answer } of made) {
          const given = await answer;
          if (!given) continue;
          const text = (texts.get(asked.key) ?? '') + asked.text;
          texts.set(asked.key, text);
          expect(given.text).toBe(text);
          if (asked.text === '') continue;
          bodies.push(`${asked.key}:${text}`);
          expect(given.seq).toBe(bodies.length);
        }
        expect(database.bodies).toEqual(bodies);
        expect(writer.head).toEqual(database.head);
        expect(database.head.seq).toBe(bodies.length);
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});
