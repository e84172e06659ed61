import { describe, expect, it } from 'vitest';
import { compareSides, sideOf } from '../../services/log/compare.ts';
import type { OwnSide } from '../../services/log/compare.ts';
import { sliceRange } from '../../services/log/digest.ts';
import { readHead } from '../../services/log/head.ts';
import { configurationLog } from '../../services/log/definition.ts';
import { verifyChain } from '../../services/log/verify-chain.ts';
import type { Database, Session } from '../../services/platform/postgres/database.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import type { KeyRange } from '../../services/protocol/scope.ts';
import { LogWriter, subscribers } from '../support/log-writer.ts';
import { testDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

async function aHome(rows = 20): Promise<TestDatabase> {
  const home = await testDatabase('config');
  await using session = await openPipeline({ url: home.url, applicationName: 'test' });
  const writer = new LogWriter(session);
  for (let n = 1; n <= rows; n += 5) await writer.append([subscribers(n, Math.min(n + 5, rows + 1))]);
  return home;
}

/** Runs SQL as someone who gets around the guards. */
async function tamper(database: Database, sql: string): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica');
    await tx.query(sql);
  });
}

describe('verification of a stored log', () => {
  it('proves it from its first event to its head, and from any event on', async () => {
    await using home = await aHome();
    expect(await verifyChain(home.database)).toEqual({ from: 1, to: 5, events: 5 });
    expect(await verifyChain(home.database, { after: 3 })).toEqual({ from: 4, to: 5, events: 2 });
  });

  it('proves an empty log', async () => {
    await using home = await testDatabase('config');
    expect(await verifyChain(home.database)).toEqual({ from: 1, to: 0, events: 0 });
  });

  it.each<[string, string, number]>([
    ['a byte of a body', `update log set body = set_byte(body, 40, get_byte(body, 40) # 1) where seq = 3`, 3],
    ['a hash', `update log set hash = set_byte(hash, 31, get_byte(hash, 31) # 128) where seq = 4`, 4],
    ['the last hash', `update log set hash = set_byte(hash, 0, get_byte(hash, 0) # 1) where seq = 5`, 5],
    [
      'a time, by the smallest step there is',
      `update log set time = time + interval '1 microsecond' where seq = 2`,
      2,
    ],
    ['a time, by a millisecond', `update log set time = time - interval '1 millisecond' where seq = 5`, 5],
    ['a seq', `update log set seq = 9 where seq = 3`, 3],
    ['the last seq', `update log set seq = 7 where seq = 5`, 5],
    ['an event, which is gone', `delete from log where seq = 2`, 2],
    ['the hash of the head', `update log_head set hash = set_byte(hash, 3, get_byte(hash, 3) # 4)`, 5],
    ['the incarnation of the head', `update log_head set incarnation = gen_random_uuid()`, 5],
    ['the seq of the head', `update log_head set seq = 4`, 5],
  ])('finds that someone changed %s', async (_, sql, seq) => {
    await using home = await aHome();
    await tamper(home.database, sql);
    await expect(verifyChain(home.database)).rejects.toMatchObject({ code: 'LOG_BROKEN', facts: { seq } });
  });

  it('proves a standby that began with a snapshot from its point on', async () => {
    await using home = await aHome();
    await tamper(
      home.database,
      `insert into snapshots (transfer, scope, incarnation, seq, hash, rows, bytes)
       select gen_random_uuid(), 'everything', incarnation, log.seq, log.hash, 1, 1 from log, log_head where log.seq = 3;
       delete from log where seq in (2, 3)`,
    );
    expect(await verifyChain(home.database)).toEqual({ from: 4, to: 5, events: 2 });
    await expect(verifyChain(home.database, { after: 1 })).rejects.toMatchObject({ code: 'LOG_NOT_HELD' });
    await tamper(home.database, `update log set hash = decode(repeat('00', 32), 'hex') where seq = 4`);
    await expect(verifyChain(home.database)).rejects.toMatchObject({ facts: { seq: 4 } });
  });

  it('proves a log whose beginning was pruned from the first event held', async () => {
    await using home = await aHome();
    await tamper(home.database, 'delete from log where seq < 3');
    expect(await verifyChain(home.database)).toEqual({ from: 4, to: 5, events: 2 });
  });

  it('goes on when the log grows meanwhile', async () => {
    await using home = await aHome();
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    const writer = new LogWriter(session);
    let appended: Promise<unknown> | undefined;
    const proof = await verifyChain(home.database, {
      onProgress: () => {
        appended ??= writer.append([subscribers(100, 105)]);
      },
    });
    await appended;
    expect(proof.to).toBe(5);
    expect((await readHead(home.database)).seq).toBe(6);
  });
});

describe('comparison of two databases', () => {
  /** Compares as the synchronizers do, each side in a snapshot of its own. */
  async function compare(
    ours: TestDatabase,
    theirs: TestDatabase,
    options: Partial<Parameters<typeof compareSides>[0]> = {},
    side: (session: Session) => OwnSide = sideOf,
  ) {
    return await ours.database.transaction(
      (own) =>
        theirs.database.transaction(
          (other) =>
            compareSides({
              ours: side(own),
              theirs: sideOf(other),
              tables: configurationLog.tables,
              differencesMax: 100,
              ...options,
            }),
          { isolation: 'repeatable read', readOnly: true },
        ),
      { isolation: 'repeatable read', readOnly: true },
    );
  }

  /** Two databases with the same rows, the second's in another physical order. */
  async function twoAlike(
    rows = 20,
  ): Promise<{ ours: TestDatabase; theirs: TestDatabase } & AsyncDisposable> {
    await using held = new AsyncDisposableStack();
    const ours = held.use(await aHome(rows));
    const theirs = held.use(await testDatabase('config'));
    for (const { name } of configurationLog.tables) {
      const { rows: json } = await ours.database.query<{ rows: string }>(
        `select coalesce(json_agg(${name})::text, '[]') as rows from ${name}`,
      );
      await theirs.database.transaction(async (tx) => {
        await tx.query('set local session_replication_role = replica');
        await tx.query(
          `insert into ${name} select * from json_populate_recordset(null::${name}, $1::json) order by 1 desc`,
          [json[0]?.rows],
        );
      });
    }
    const stack = held.move();
    return { ours, theirs, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  it('finds equal rows equal, in whatever order they are stored', async () => {
    await using two = await twoAlike();
    const comparison = await compare(two.ours, two.theirs);
    expect(comparison).toMatchObject({ equal: true, rows: 21, differences: [], truncated: false });
    expect(comparison.tables.find(({ table }) => table === 'subscribers')).toEqual({
      table: 'subscribers',
      rowsOurs: 20,
      rowsTheirs: 20,
      bucketsDiffering: 0,
    });
  });

  it.each<[string, string, object]>([
    ['a text', `display_name = 'x'`, { columns: ['display_name'] }],
    ['a text that is empty instead of absent', `display_name = ''`, { columns: ['display_name'] }],
    ['a number', 'forward_no_answer_seconds = 20', { columns: ['forward_no_answer_seconds'] }],
    ['the order of a list', `class_of_service = '["national", "local"]'`, { columns: ['class_of_service'] }],
    ['the seq', 'seq = seq + 1', { columns: ['seq'] }],
    [
      'a value that moved into the next column',
      'area_code = country_code, country_code = area_code',
      { columns: ['area_code', 'country_code'] },
    ],
  ])('finds a row that differs by %s', async (_, set, difference) => {
    await using two = await twoAlike();
    await tamper(two.theirs.database, `update subscribers set ${set} where aor = 'user0000007@c1.example'`);
    expect(await compare(two.ours, two.theirs)).toMatchObject({
      equal: false,
      differences: [{ kind: 'differs', table: 'subscribers', key: 'user0000007@c1.example', ...difference }],
    });
  });

  it('finds rows that only one side has', async () => {
    await using two = await twoAlike();
    await tamper(two.theirs.database, `delete from subscribers where aor = 'user0000003@c1.example'`);
    await tamper(two.ours.database, `delete from subscribers where aor = 'user0000004@c1.example'`);
    expect(await compare(two.ours, two.theirs)).toMatchObject({
      equal: false,
      differences: [
        { kind: 'only-ours', table: 'subscribers', key: 'user0000003@c1.example' },
        { kind: 'only-theirs', table: 'subscribers', key: 'user0000004@c1.example' },
      ],
    });
  });

  it('finds every row of many, page by page, and names no more than asked for', async () => {
    await using two = await twoAlike(1500);
    await tamper(two.theirs.database, `update subscribers set area_code = '89'`);
    const all = await compare(two.ours, two.theirs, { differencesMax: 5000 });
    expect(all.differences.length).toBe(1500);
    expect(new Set(all.differences.map(({ key }) => key)).size).toBe(1500);
    const some = await compare(two.ours, two.theirs, { differencesMax: 7 });
    expect(some).toMatchObject({ equal: false, truncated: true });
    expect(some.differences).toEqual(all.differences.slice(0, 7));
  });

  it('finds the same in slices, where rows at their ends differ too', async () => {
    await using two = await twoAlike(30);
    const gone = ['07', '08', '14', '15'].map((n) => `'user00000${n}@c1.example'`).join(', ');
    await tamper(two.theirs.database, `delete from subscribers where aor in (${gone})`);
    const slices: KeyRange[] = [];
    const ours = (own: Session): OwnSide => ({
      ...sideOf(own),
      async *slices(table, range) {
        for await (const slice of sliceRange(own, table, range, 7)) {
          if (table.name === 'subscribers') slices.push(slice);
          yield slice;
        }
      },
    });
    const whole = await compare(two.ours, two.theirs);
    const cut = await compare(two.ours, two.theirs, {}, ours);
    expect(cut).toEqual(whole);
    expect(cut.differences).toHaveLength(4);
    expect(slices).toHaveLength(5);
    expect([slices[0]?.from, slices[4]?.to]).toEqual([null, null]);
  });

  it('keeps to a range of keys', async () => {
    await using two = await twoAlike();
    await tamper(
      two.theirs.database,
      `update subscribers set area_code = '89' where aor = 'user0000007@c1.example'`,
    );
    const tables = configurationLog.tables.filter(({ name }) => name === 'subscribers');
    const within = (from: string, to: string) =>
      compare(two.ours, two.theirs, { tables, range: { from, to } });
    expect(await within('user0000001', 'user0000007@')).toMatchObject({ equal: true, rows: 6 });
    expect(await within('user0000007', 'user0000008')).toMatchObject({ equal: false, rows: 1 });
  });

  it('gives the same digest whatever the settings of the session', async () => {
    await using home = await aHome();
    const table = configurationLog.tables.find(({ name }) => name === 'subscribers');
    if (!table) throw new Error('no such table');
    await using session = await home.database.session();
    const plain = await sideOf(session).digest(table, null);
    await session.query(
      `set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set extra_float_digits = 0; set enable_hashagg = off; set bytea_output = 'escape'`,
    );
    expect(await sideOf(session).digest(table, null)).toEqual(plain);
  });
});
