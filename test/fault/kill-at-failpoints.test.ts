import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasEnded, jobSchema } from '../../services/protocol/rest/jobs.ts';
import type { JobKind } from '../../services/protocol/rest/jobs.ts';
import { aSubscriber } from '../support/builders.ts';
import { compareCopies } from '../support/compare-copies.ts';
import { SteadyChanges } from '../support/steady-changes.ts';
import type { TestSite } from '../support/test-site.ts';
import { TwoSites } from '../support/two-sites.ts';

type Case = {
  readonly site: 'c1' | 'c2';
  readonly program: 'api' | 'synchronizer';
  readonly failpoint: string;
  /** What brings the program to the failpoint, beside the changes that go on all the time. */
  readonly job?: JobKind | undefined;
};

/** Rows that are changed during one case; each has its own. */
const rowsEach = 50;

/** What kills only a synchronizer between two events has tests of its own, in synchronizer-kill.test.ts. */
const cases: readonly Case[] = [
  { site: 'c1', program: 'api', failpoint: 'append.before-commit' },
  { site: 'c1', program: 'api', failpoint: 'append.after-commit' },
  { site: 'c2', program: 'synchronizer', failpoint: 'apply.before-commit' },
  { site: 'c1', program: 'synchronizer', failpoint: 'export.chunk', job: 'resync' },
  { site: 'c1', program: 'synchronizer', failpoint: 'ftp.upload.before-rename', job: 'resync' },
  { site: 'c2', program: 'synchronizer', failpoint: 'import.chunk', job: 'resync' },
  { site: 'c2', program: 'synchronizer', failpoint: 'roll-forward.before', job: 'resync' },
  { site: 'c2', program: 'synchronizer', failpoint: 'swap.before-commit', job: 'resync' },
  { site: 'c2', program: 'synchronizer', failpoint: 'swap.after-commit', job: 'resync' },
];

describe('a program killed with -9 while changes go on', () => {
  let pair: TwoSites;
  beforeAll(async () => {
    pair = await TwoSites.start();
  });
  afterAll(() => pair[Symbol.asyncDispose]());

  it.each(cases)(
    'at $failpoint loses nothing and does nothing twice',
    async ({ site: name, program, failpoint, job }) => {
      const { c1, c2 } = pair;
      const site = pair[name];
      const before = await c1.head();
      const first = 1 + rowsEach * cases.findIndex((each) => each.failpoint === failpoint);
      await using changes = new SteadyChanges(c1, { first, rows: rowsEach });
      await c2.waitApplied('c1', before.seq + 50);

      await site.stop();
      await site.start({ DUALHOME_FAILPOINT: `${failpoint}=kill${job ? '' : '@3'}` }).catch(() => undefined);
      const id = job && (await requestJob(c1, job));
      await site.waitFor(`${program} to die at ${failpoint}`, () => hasDied(site, program, failpoint));
      await site.stop();
      await site.start();

      if (id) {
        await c1.waitFor('the job to end', async () => hasEnded((await readJob(c1, id)).state));
        expect(await readJob(c1, id)).toMatchObject({ state: 'done' });
      }
      await changes.stop();
      const { seq } = await c1.head();
      await c2.waitApplied('c1', seq);
      expect(await compareCopies(c1, c2)).toMatchObject({ equal: true, differences: [] });
      await expectAcknowledged(c2, changes.acknowledged);
    },
  );
});

async function requestJob(site: TestSite, kind: JobKind): Promise<string> {
  using api = await site.api();
  const body = { kind, peer: 'c2', reason: 'a test' };
  const { id } = await api.request('POST', '/v1/jobs', { body, answer: jobSchema });
  return id;
}

async function readJob(site: TestSite, id: string) {
  using api = await site.api();
  return await api.request('GET', `/v1/jobs/${id}`, { answer: jobSchema });
}

async function hasDied(site: TestSite, program: string, failpoint: string): Promise<boolean> {
  const log = await readFile(site.layout.programLog(program), 'utf8');
  return log.includes(`failpoint ${failpoint} kill`);
}

async function expectAcknowledged(peer: TestSite, acknowledged: ReadonlyMap<number, string>): Promise<void> {
  const standby = await peer.database('standby_c1');
  const expected = [...acknowledged].map(([n, name]) => ({ aor: String(aSubscriber(n)['aor']), name }));
  const { rows } = await standby.query<{ aor: string; name: string }>(
    'select aor, display_name as name from subscribers where aor = any($1) order by aor',
    [expected.map(({ aor }) => aor)],
  );
  expect(rows).toEqual(expected.sort((a, b) => (a.aor < b.aor ? -1 : 1)));
}
