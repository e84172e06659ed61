import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readHead } from '../../services/log/head.ts';
import { signManifest } from '../../services/log/snapshot/signed-manifest.ts';
import { findSwap } from '../../services/log/snapshot/swap.ts';
import { verifyChain } from '../../services/log/verify-chain.ts';
import type { Database } from '../../services/platform/postgres/database.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import { Signer, generateSigningKey } from '../../services/platform/crypto/signing.ts';
import type { Manifest } from '../../services/protocol/manifest.ts';
import type { Scope } from '../../services/protocol/scope.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { applyAccess } from '../../services/site/databases/access.ts';
import { roleName } from '../../services/site/databases/plan.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import { aSubscriber } from '../support/builders.ts';
import { ChildProgram } from '../support/child-program.ts';
import { LogWriter, subscribers } from '../support/log-writer.ts';
import type { DrawnEvent } from '../support/log-writer.ts';
import { testDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import type { ImportProgramInput } from '../support/programs/import-snapshot.ts';
import { aSnapshot, applyUpTo, compareWithLog, each, importInto, signer } from '../support/snapshot.ts';
import type { Snapshot } from '../support/snapshot.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const odd = `back\\slash\ttab "quote" ü \u{1F4DE} NULL \\N`;
const renamed = (n: number, name: string): DrawnEvent => ({
  kind: subscriber,
  rows: [{ n, after: { ...aSubscriber(n), display_name: name } }],
});
const deleted = (n: number): DrawnEvent => ({ kind: subscriber, rows: [{ n, after: null }] });

/** A home, a standby, and a place for files. */
class Bed implements AsyncDisposable {
  readonly home: TestDatabase;
  readonly standby: TestDatabase;
  readonly writer: LogWriter;
  readonly directory: string;
  readonly #held: AsyncDisposableStack;

  private constructor(
    home: TestDatabase,
    standby: TestDatabase,
    writer: LogWriter,
    directory: string,
    held: AsyncDisposableStack,
  ) {
    [this.home, this.standby, this.writer, this.directory, this.#held] = [
      home,
      standby,
      writer,
      directory,
      held,
    ];
  }

  static async create(events: readonly DrawnEvent[] = [subscribers(1, 60), renamed(1, odd)]): Promise<Bed> {
    await using held = new AsyncDisposableStack();
    const { path } = held.use(await TemporaryDirectory.create());
    const [home, standby] = [held.use(await testDatabase('config')), held.use(await testDatabase('config'))];
    const writer = new LogWriter(held.use(await openPipeline({ url: home.url, applicationName: 'test' })));
    await writer.append(events);
    return new Bed(home, standby, writer, path, held.move());
  }

  snapshot(options: Parameters<typeof aSnapshot>[2] = {}): Promise<Snapshot> {
    return aSnapshot(this.home, this.directory, options);
  }

  /** The standby applies home's log up to `to`. */
  async apply(to: number): Promise<void> {
    await applyUpTo(this.home, this.standby, to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }
}

/** Everything about the tables' definition: columns, constraints, indexes, triggers, options, rights. */
async function definitionsOf(database: Database): Promise<unknown> {
  const { rows } = await database.query(
    `select relname, reloptions, relacl::text,
       (select json_agg(json_build_array(attname, atttypid::regtype, attnotnull, attcollation, attstorage) order by attnum)
        from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
       (select json_agg(pg_get_constraintdef(oid) order by conname) from pg_constraint where conrelid = c.oid) as constraints,
       (select json_agg(pg_get_indexdef(indexrelid) order by indexrelid::regclass::text) from pg_index where indrelid = c.oid) as indexes,
       (select json_agg(pg_get_triggerdef(oid) || tgenabled::text order by tgname) from pg_trigger where tgrelid = c.oid) as triggers
     from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname`,
  );
  return rows;
}

async function stagingTables(database: Database): Promise<number> {
  const { rowCount } = await database.query(`select from pg_tables where schemaname = 'staging'`);
  return rowCount;
}

describe('a snapshot', () => {
  it('fills an empty standby with the state of its point, odd characters included', async () => {
    await using bed = await Bed.create();
    const snapshot = await bed.snapshot();
    expect(snapshot.chunks.length).toBeGreaterThan(5);
    const outcome = await importInto(bed.standby, snapshot);
    expect(outcome).toMatchObject({ seq: 3, rows: 60, repeated: false });
    expect(await readHead(bed.standby.database)).toEqual(await readHead(bed.home.database));
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true, rows: 60 });
    expect(await stagingTables(bed.standby.database)).toBe(0);
  });

  it('leaves tables defined exactly as they were, whose guards guard', async () => {
    await using bed = await Bed.create();
    const role = `test_reader_${randomUUID().slice(0, 8)}`;
    await bed.standby.database.query(`create role ${role}; grant select on subscribers to ${role}`);
    const before = await definitionsOf(bed.standby.database);
    await importInto(bed.standby, await bed.snapshot());
    expect(await definitionsOf(bed.standby.database)).toEqual(before);
    await expect(bed.standby.database.query('delete from subscribers')).rejects.toMatchObject({
      code: 'DH002',
    });
    await bed.standby.database.query(`drop owned by ${role}; drop role ${role}`);
  });

  it('is imported with no more rights than the synchronizer has', async () => {
    await using bed = await Bed.create();
    const site = `t${randomUUID().slice(0, 8)}`;
    const password = new Secret('secret');
    await using admin = await bed.standby.database.session();
    await applyAccess(admin, { site, kind: 'standby', peers: ['c1'], passwordOf: () => password });
    const role = roleName(site, 'synchronizer');
    const url = new URL(bed.standby.url);
    [url.username, url.password] = [role, password.reveal()];

    const range: Scope = { kinds: ['subscriber'], keyRange: { from: 'user0000010', to: null } };
    await importInto(bed.standby, await bed.snapshot(), { url: url.href });
    await importInto(bed.standby, await bed.snapshot(), { url: url.href });
    await importInto(bed.standby, await bed.snapshot({ scope: range }), { url: url.href });
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
    await admin.query(`drop owned by ${role}; drop role ${role}`);
  });

  it('is followed by the log: events apply from its point on, and the chain is proven from there', async () => {
    await using bed = await Bed.create();
    await importInto(bed.standby, await bed.snapshot());
    const { seq } = await bed.writer.append([renamed(2, 'two'), deleted(3), subscribers(100, 110)]);
    await bed.apply(seq);
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
    expect(await verifyChain(bed.standby.database)).toEqual({ from: 4, to: 6, events: 3 });
  });

  it('is rolled forward to a standby that has gone on', async () => {
    await using bed = await Bed.create();
    await bed.apply(3);
    const snapshot = await bed.snapshot();
    const { seq } = await bed.writer.append([
      renamed(2, 'two'),
      deleted(3),
      subscribers(100, 110),
      renamed(100, odd),
    ]);
    await bed.apply(seq);
    await bed.standby.database.transaction(async (tx) => {
      await tx.query('set local session_replication_role = replica');
      await tx.query(`update subscribers set area_code = '0'`);
    });
    await importInto(bed.standby, snapshot);
    expect((await readHead(bed.standby.database)).seq).toBe(seq);
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
    expect(await verifyChain(bed.standby.database)).toMatchObject({ from: 1, to: seq });
  });

  it('is swapped in while the standby is read, and readers see the old state or the new one', async () => {
    await using bed = await Bed.create();
    await using reader = await bed.standby.database.session();
    const swap = { isDone: false };
    const seen = (async () => {
      const counts = new Set<number>();
      while (!swap.isDone || !counts.has(59)) {
        const { rows } = await reader.query<{ n: number }>('select count(*) as n from subscribers');
        counts.add(rows[0]?.n ?? -1);
      }
      return counts;
    })();
    await importInto(bed.standby, await bed.snapshot());
    swap.isDone = true;
    expect(await seen).toEqual(new Set([0, 59]));
  });

  it('waits for a long reader, then is swapped in', async () => {
    await using bed = await Bed.create();
    const snapshot = await bed.snapshot();
    const imported = await bed.standby.database.transaction(async (tx) => {
      await tx.query('select from subscribers');
      const swapping = Promise.withResolvers<void>();
      const imported = importInto(bed.standby, snapshot, {
        onProgress: ({ phase }) => {
          if (phase === 'swapping') swapping.resolve();
        },
      });
      await swapping.promise;
      return { imported };
    });
    expect(await imported.imported).toMatchObject({ rows: 60 });
  });

  it('holds exactly the state of its point when it is taken during writes', async () => {
    await using bed = await Bed.create();
    const writes = { areOver: false };
    const writing = (async () => {
      for (let n = 1000; !writes.areOver; n += 3)
        await bed.writer.append([subscribers(n, n + 3), deleted(n), renamed(n % 50, odd)]);
    })();
    try {
      for (let round = 0; round < 2; round += 1) {
        await using standby = await testDatabase('config');
        const snapshot = await bed.snapshot();
        await importInto(standby, snapshot);
        expect((await readHead(standby.database)).seq).toBe(snapshot.header.seq);
        expect(await compareWithLog(bed.home, standby)).toMatchObject({ equal: true });
      }
    } finally {
      writes.areOver = true;
      await writing;
    }
  });

  it('is imported while the lane of the standby applies', async () => {
    await using bed = await Bed.create();
    await bed.apply(3);
    const writes = { areOver: false };
    let lane = Promise.resolve();
    const writing = (async () => {
      for (let n = 1000; !writes.areOver; n += 3) {
        const { seq } = await bed.writer.append([subscribers(n, n + 3), deleted(n)]);
        lane = lane.then(() => bed.apply(seq));
        await lane;
      }
    })();
    try {
      for (let round = 0; round < 3; round += 1) {
        const snapshot = await bed.snapshot();
        await importInto(bed.standby, snapshot, {
          exclusive: (work) => {
            const done = lane.then(async () => work(await readHead(bed.standby.database)));
            lane = done.then(() => undefined);
            return done;
          },
        });
      }
    } finally {
      writes.areOver = true;
      await writing;
    }
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
    expect(await verifyChain(bed.standby.database)).toMatchObject({ from: 1 });
  });

  it('of nothing at all is a snapshot too', async () => {
    await using bed = await Bed.create();
    await using empty = await testDatabase('config');
    const snapshot = await aSnapshot(empty, bed.directory);
    expect(await importInto(bed.standby, snapshot)).toMatchObject({ seq: 0, rows: 0 });
    await bed.apply(3);
    await expect(importInto(bed.standby, await aSnapshot(empty, bed.directory))).rejects.toMatchObject({
      code: 'TRANSFER_HOME_EMPTY',
    });
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true, rows: 60 });
  });
});

describe('a partial snapshot', () => {
  const range: Scope = { kinds: ['subscriber'], keyRange: { from: 'user0000010', to: 'user0000020' } };

  it('replaces its range and nothing else, brought up to the standby', async () => {
    await using bed = await Bed.create();
    await bed.apply(3);
    await bed.standby.database.transaction(async (tx) => {
      await tx.query('set local session_replication_role = replica');
      await tx.query(`update subscribers set area_code = '0' where aor < 'user0000020'`);
    });
    const snapshot = await bed.snapshot({ scope: range });
    const { seq } = await bed.writer.append([
      deleted(12),
      renamed(13, 'thirteen'),
      renamed(40, 'forty'),
      deleted(41),
    ]);
    await bed.apply(seq);
    const before = await definitionsOf(bed.standby.database);
    expect(await importInto(bed.standby, snapshot)).toMatchObject({ rows: 10 });
    expect(await definitionsOf(bed.standby.database)).toEqual(before);

    const comparison = await compareWithLog(bed.home, bed.standby);
    expect(comparison.tables.find(({ table }) => table === 'subscribers')).toMatchObject({
      rowsOurs: 57,
      rowsTheirs: 57,
    });
    expect(comparison.differences.map(({ key }) => key)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `user000000${n}@c1.example`),
    );
  });

  it('of a kind replaces that kind', async () => {
    await using bed = await Bed.create();
    await bed.apply(3);
    await bed.standby.database.transaction(async (tx) => {
      await tx.query('set local session_replication_role = replica');
      await tx.query('delete from subscribers');
    });
    await importInto(bed.standby, await bed.snapshot({ scope: { kinds: ['subscriber'], keyRange: null } }));
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
  });

  it('waits until the standby has reached its point', async () => {
    await using bed = await Bed.create();
    await bed.apply(2);
    const snapshot = await bed.snapshot({ scope: range });
    const imported = importInto(bed.standby, snapshot, {
      onProgress: ({ phase }) => {
        if (phase === 'verifying') void bed.apply(3);
      },
    });
    expect(await imported).toMatchObject({ rows: 10 });
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
  });
});

describe('a snapshot that is not what its sender made', () => {
  /** The code it is refused with; the standby stays as empty as it was. */
  async function refusal(
    bed: Bed,
    snapshot: Snapshot,
    options: Parameters<typeof importInto>[2] = {},
  ): Promise<unknown> {
    const outcome = await importInto(bed.standby, snapshot, options).catch(
      (error: { code: unknown }) => error.code,
    );
    expect((await readHead(bed.standby.database)).seq).toBe(0);
    const { rows } = await bed.standby.database.query<{ n: number }>('select count(*) as n from subscribers');
    expect(rows[0]?.n).toBe(0);
    return outcome;
  }

  async function rewritten(
    snapshot: Snapshot,
    index: number,
    edit: (bytes: Buffer) => Buffer,
  ): Promise<Snapshot> {
    const chunks = [...snapshot.chunks];
    const chunk = chunks[index];
    if (!chunk) throw new Error('no such chunk');
    const path = `${chunk.path}.edited`;
    await writeFile(path, edit(await readFile(chunk.path)));
    chunks[index] = { ...chunk, path };
    return { ...snapshot, chunks };
  }

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['truncated by a byte', (bytes) => bytes.subarray(0, -1)],
    ['truncated to nothing', () => Buffer.alloc(0)],
    ['longer by a byte', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
    ['altered by a bit', (bytes) => (bytes.writeUInt8(bytes.readUInt8(20) ^ 4, 20), bytes)],
  ])('because a file is %s, is refused', async (_, edit) => {
    await using bed = await Bed.create();
    expect(await refusal(bed, await rewritten(await bed.snapshot(), 1, edit))).toBe('TRANSFER_CHUNK_BROKEN');
  });

  it('because a file is missing, repeated, or takes the place of another, is refused', async () => {
    await using bed = await Bed.create();
    const snapshot = await bed.snapshot();
    const [first, second, ...rest] = snapshot.chunks as [Snapshot['chunks'][0], Snapshot['chunks'][0]];
    expect(await refusal(bed, { ...snapshot, chunks: [first, ...rest] })).toBe('TRANSFER_MANIFEST_BROKEN');
    expect(await refusal(bed, { ...snapshot, chunks: [first, second, second, ...rest] })).toBe(
      'TRANSFER_MANIFEST_BROKEN',
    );
    const swapped = [{ ...first, path: second.path }, { ...second, path: first.path }, ...rest];
    expect(await refusal(bed, { ...snapshot, chunks: swapped })).toBe('TRANSFER_CHUNK_BROKEN');
    const missing = [{ ...first, path: `${first.path}.gone` }, second, ...rest];
    expect(await refusal(bed, { ...snapshot, chunks: missing })).toBe('TRANSFER_CHUNK_BROKEN');
  });

  it('because files or the manifest of another transfer are replayed, is refused', async () => {
    await using bed = await Bed.create();
    const older = await bed.snapshot();
    await bed.writer.append([renamed(1, 'one')]);
    const snapshot = await bed.snapshot();
    expect(await refusal(bed, { ...snapshot, manifest: older.manifest })).toBe('TRANSFER_MANIFEST_FOREIGN');
    expect(await refusal(bed, { ...snapshot, chunks: older.chunks })).toBe('TRANSFER_MANIFEST_BROKEN');
    const [first, second] = [older.chunks[0], snapshot.chunks[0]];
    if (!first || !second) throw new Error('no chunk');
    await copyFile(first.path, second.path);
    expect(await refusal(bed, snapshot)).toBe('TRANSFER_CHUNK_BROKEN');
  });

  it('because its manifest is altered or signed by someone else, is refused', async () => {
    await using bed = await Bed.create();
    const snapshot = await bed.snapshot();
    const manifest = JSON.parse(snapshot.manifest.manifest) as Manifest;
    const text = snapshot.manifest.manifest.replace('"rows":', '"rows": ');
    expect(await refusal(bed, { ...snapshot, manifest: { ...snapshot.manifest, manifest: text } })).toBe(
      'TRANSFER_MANIFEST_BROKEN',
    );
    const impostor = signManifest(manifest, new Signer(generateSigningKey()));
    expect(await refusal(bed, { ...snapshot, manifest: impostor })).toBe('TRANSFER_MANIFEST_BROKEN');
    const counted = {
      ...manifest,
      chunks: manifest.chunks.map((chunk) => ({ ...chunk, rows: chunk.rows + 1 })),
    };
    expect(await refusal(bed, { ...snapshot, manifest: signManifest(counted, signer) })).toBe(
      'TRANSFER_MANIFEST_BROKEN',
    );
  });

  it('because it is of another site, format or shape, is refused', async () => {
    await using bed = await Bed.create();
    const snapshot = await bed.snapshot();
    const { header } = snapshot;
    expect(await refusal(bed, snapshot, { peer: 'c3' })).toBe('TRANSFER_MANIFEST_FOREIGN');
    expect(await refusal(bed, { ...snapshot, header: { ...header, format: 2 } })).toBe(
      'TRANSFER_FORMAT_UNKNOWN',
    );
    const tables = header.tables.map(({ name, columns }) => ({ name, columns: columns.toReversed() }));
    expect(await refusal(bed, { ...snapshot, header: { ...header, tables } })).toBe(
      'TRANSFER_FORMAT_UNKNOWN',
    );
  });

  it('because the rows in staging became others, is refused', async () => {
    await using bed = await Bed.create();
    const snapshot = await bed.snapshot();
    const tamper = async () => {
      await bed.standby.database.query(
        `update staging.subscribers set area_code = '31' where aor like '%0007@%'`,
      );
      return snapshot.manifest;
    };
    expect(await refusal(bed, snapshot, { manifest: tamper })).toBe('TRANSFER_VERIFICATION_FAILED');
  });
});

describe('an import that is broken off', () => {
  it('by its caller leaves the standby as it was, and can be done again', async () => {
    await using bed = await Bed.create();
    const snapshot = await bed.snapshot();
    for (const phase of ['loading', 'verifying', 'swapping']) {
      const controller = new AbortController();
      const onProgress = (progress: { phase: string }) => {
        if (progress.phase === phase) controller.abort(new Error(`stopped while ${phase}`));
      };
      const imported = importInto(bed.standby, snapshot, { signal: controller.signal, onProgress });
      await expect(imported).rejects.toThrow(`stopped while ${phase}`);
      expect((await readHead(bed.standby.database)).seq).toBe(0);
    }
    // The swap has begun, and is not committed yet.
    const late = new AbortController();
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase === 'swapping') queueMicrotask(() => late.abort(new Error('stopped in the swap')));
    };
    const imported = importInto(bed.standby, snapshot, { signal: late.signal, onProgress });
    await expect(imported).rejects.toThrow('stopped in the swap');
    expect((await readHead(bed.standby.database)).seq).toBe(0);

    await importInto(bed.standby, snapshot);
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
  });

  it('because the standby was written by another process is not swapped in', async () => {
    await using bed = await Bed.create();
    await bed.apply(3);
    const snapshot = await bed.snapshot();
    const { seq } = await bed.writer.append([renamed(5, 'five')]);
    const imported = importInto(bed.standby, snapshot, {
      exclusive: async (work) => {
        const cursor = await readHead(bed.standby.database);
        await bed.apply(seq);
        return await work(cursor);
      },
    });
    await expect(imported).rejects.toMatchObject({ code: 'LOG_FENCED' });
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
  });

  it.each([
    'import.chunk=kill@3',
    'roll-forward.before=kill',
    'swap.before-commit=kill',
    'swap.after-commit=kill',
  ])('by %s is done by the next one, once', async (failpoint) => {
    await using bed = await Bed.create();
    await bed.apply(3);
    const snapshot = await bed.snapshot();
    const { seq } = await bed.writer.append([renamed(2, 'two'), deleted(3)]);
    await bed.apply(seq);
    const { header, chunks, manifest } = snapshot;
    const input: ImportProgramInput = {
      url: bed.standby.url,
      header,
      chunks,
      manifest,
      publicKeyPem: signer.publicKeyPem,
    };
    const file = `${bed.directory}/input.json`;
    await writeFile(file, JSON.stringify(input));
    await using program = new ChildProgram(`${import.meta.dirname}/../support/programs/import-snapshot.ts`, {
      args: [file],
      env: { DUALHOME_FAILPOINT: failpoint },
    });
    const { signal } = await program.exit();
    expect({ signal, output: program.output }).toMatchObject({ signal: 'SIGKILL' });

    const isDone = failpoint.startsWith('swap.after-commit');
    expect((await findSwap(bed.standby.database, header.transfer)) !== undefined).toBe(isDone);
    expect(await importInto(bed.standby, snapshot)).toMatchObject({ rows: 60, repeated: isDone });
    expect(await importInto(bed.standby, snapshot, { chunks: each([]) })).toMatchObject({ repeated: true });
    expect(await compareWithLog(bed.home, bed.standby)).toMatchObject({ equal: true });
    const { rows } = await bed.standby.database.query<{ n: number }>('select count(*) as n from snapshots');
    expect(rows[0]?.n).toBe(1);
  });
});
