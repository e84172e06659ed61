import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { DualhomeError } from '../../services/protocol/errors/index.ts';
import type { JobRequest } from '../../services/protocol/rest/jobs.ts';
import { wholeScope } from '../../services/protocol/scope.ts';
import { JobRunner } from '../../services/synchronizer/jobs/runner.ts';
import type { JobWork } from '../../services/synchronizer/jobs/runner.ts';
import { JobStore } from '../../services/synchronizer/store/job-store.ts';
import { testDatabase } from '../support/postgres.ts';

const request: JobRequest = {
  kind: 'resync',
  peer: 'c2',
  log: 'configuration',
  scope: wholeScope,
  reason: '',
};
const log = createLogger({ program: 'test', site: 'c1', level: 'silent' });
const refuse: JobWork = async () => {
  throw new Error('not this kind');
};
const works = (resync: JobWork) => ({
  bootstrap: refuse,
  pull: refuse,
  verify: refuse,
  backfill: refuse,
  accept: refuse,
  resync,
});

/** Work that reports its start and lasts until it is aborted. */
function endless() {
  const started = Promise.withResolvers<void>();
  const work: JobWork = async (_, { signal }) => {
    started.resolve();
    return await new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  return { work, started: started.promise };
}

const stateOf = async (store: JobStore, id: string) => (await store.read<{ state: string }>(id))?.state;

describe('jobs of a site', () => {
  it('are worked off with phase, progress and result', async () => {
    await using shared = await testDatabase('shared');
    const store = new JobStore(shared.database);
    const work: JobWork = async (_, { phase, count }) => {
      phase('copying');
      count({ rowsDone: 5, bytesDone: 50, rowsTotal: 5, bytesTotal: null });
      return { rows: 5 };
    };
    const id = randomUUID();
    await store.insert(id, request, 'test');
    await using _runner = new JobRunner(store, works(work), log);
    await vi.waitFor(async () => expect(await stateOf(store, id)).toBe('done'));
    expect(await store.read(id)).toMatchObject({
      phase: 'copying',
      progress: { rowsDone: 5 },
      result: { rows: 5 },
    });
  });

  it('end when they are cancelled, before they begin and while they run', async () => {
    await using shared = await testDatabase('shared');
    const store = new JobStore(shared.database);
    const { work, started } = endless();
    const [running, queued] = [randomUUID(), randomUUID()];
    await store.insert(running, request, 'test');
    await using runner = new JobRunner(store, works(work), log);
    await started;
    await store.insert(queued, request, 'test');
    for (const id of [running, queued]) await store.requestCancel(id);
    runner.wake();
    await vi.waitFor(async () => expect(await stateOf(store, running)).toBe('cancelled'));
    await vi.waitFor(async () => expect(await stateOf(store, queued)).toBe('cancelled'));
  });

  it('go on after a restart of the program, under a new fence', async () => {
    await using shared = await testDatabase('shared');
    const store = new JobStore(shared.database);
    const id = randomUUID();
    await store.insert(id, request, 'test');
    const { work, started } = endless();
    {
      await using _first = new JobRunner(store, works(work), log);
      await started;
    }
    expect(await stateOf(store, id)).toBe('queued');
    await using _second = new JobRunner(
      store,
      works(async () => ({})),
      log,
    );
    await vi.waitFor(async () => expect(await stateOf(store, id)).toBe('done'));
  });

  it('are not touched any more by an attempt that was given up for dead', async () => {
    await using shared = await testDatabase('shared');
    const store = new JobStore(shared.database);
    const id = randomUUID();
    await store.insert(id, request, 'test');
    const [due] = await store.due(1);
    const dead = await store.begin(due!);
    await store.requeueRunning();
    const [again] = await store.due(1);
    const alive = await store.begin(again!);

    const nothing = {
      rowsDone: 0,
      bytesDone: 0,
      rowsTotal: null,
      bytesTotal: null,
      rowsPerSecond: null,
      secondsLeft: null,
    };
    await expect(store.progress(dead!, 'copying', nothing)).rejects.toMatchObject({ code: 'JOB_FENCED' });
    await store.end(dead!, { state: 'done', waitMs: 0, result: {}, error: null });
    expect(await stateOf(store, id)).toBe('running');
    await store.end(alive!, { state: 'done', waitMs: 0, result: {}, error: null });
    expect(await stateOf(store, id)).toBe('done');
  });

  it('are tried again after a failure that may pass, and keep its error', async () => {
    await using shared = await testDatabase('shared');
    const store = new JobStore(shared.database);
    const id = randomUUID();
    await store.insert(id, request, 'test');
    let attempts = 0;
    const work: JobWork = async () => {
      attempts += 1;
      if (attempts === 1) throw new DualhomeError('TRANSFER_LOCKED');
      return { attempts };
    };
    await using _runner = new JobRunner(store, works(work), log);
    await vi.waitFor(async () =>
      expect(await store.read(id)).toMatchObject({ state: 'queued', error: { code: 'TRANSFER_LOCKED' } }),
    );
    await vi.waitFor(
      async () => expect(await store.read(id)).toMatchObject({ state: 'done', result: { attempts: 2 } }),
      { timeout: 10_000 },
    );
  });

  it('that start by themselves are not added while one is open, nor within their interval after the last', async () => {
    await using shared = await testDatabase('shared');
    const store = new JobStore(shared.database);
    expect(await store.hasRecent(request, 60_000)).toBe(false);
    await store.insert(randomUUID(), request, 'test');
    expect(await store.hasRecent(request, 0)).toBe(true);
    await shared.database.query(`update site.jobs set state = 'done', ended_at = now()`);
    expect(await store.hasRecent(request, 60_000)).toBe(true);
    expect(await store.hasRecent(request, 0)).toBe(false);
    const others: readonly Partial<JobRequest>[] = [
      { kind: 'verify' },
      { peer: 'c3' },
      { log: 'registration' },
    ];
    for (const other of others) expect(await store.hasRecent({ ...request, ...other }, 60_000)).toBe(false);
  });
});
