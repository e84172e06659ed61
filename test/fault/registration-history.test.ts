import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ownSchema, peerSchema } from '../../services/protocol/names.ts';
import { alarmListSchema } from '../../services/protocol/rest/alarms.ts';
import { dualhome } from '../support/dualhome.ts';
import { SoftPhone } from '../support/soft-phone.ts';
import type { TestSite } from '../support/test-site.ts';
import { TwoSites } from '../support/two-sites.ts';

/** With owners and modes, which the server insists on. */
const copyDirectory = (from: string, to: string) => promisify(execFile)('cp', ['-a', from, to]);

const patience = { timeout: 60_000 };

type FlowKey = { readonly aor: string };

const aorsIn = async (site: TestSite, schema: string): Promise<readonly string[]> => {
  const { rows } = await (
    await site.database('shared')
  ).query<FlowKey>(`select aor from ${schema}.flows where not gone order by aor`);
  return rows.map(({ aor }) => aor);
};

async function alarmsOf(site: TestSite): Promise<readonly string[]> {
  using api = await site.api('viewer');
  const { alarms } = await api.request('GET', '/v1/alarms', { answer: alarmListSchema });
  return alarms.map(({ code, subject }) => `${code} ${subject}`);
}

const alarmsAre = (site: TestSite, ...expected: readonly string[]): Promise<void> =>
  expect.poll(() => alarmsOf(site), patience).toEqual(expected);

it('registrations restored from a backup are noticed, overwrite nothing, and go on when an operator says so', async () => {
  await using pair = await TwoSites.start();
  const { c1, c2 } = pair;
  await pair.provision('c1', ['ada', 'bob']);
  const registers = async (user: string): Promise<number | undefined> => {
    await using phone = await SoftPhone.open({ user, domain: 'c1.example' }, await c1.sip());
    return await phone.register();
  };
  const [copy, ada, bob] = [peerSchema('c1'), 'ada@c1.example', 'bob@c1.example'];

  expect(await registers('ada')).toBe(200);
  await c1.stop();
  const [shared, backup] = [c1.layout.postgres('shared'), `${c1.layout.postgres('shared')}.backup`];
  await copyDirectory(shared, backup);
  await c1.start();
  await c1.waitServing('processor-home');
  expect(await registers('bob')).toBe(200);
  await c2.waitFor('the registration of bob', async () => (await aorsIn(c2, copy)).includes(bob));
  await c1.stop();
  // What is shown of it at c2 meanwhile is the last that was heard.
  const shown = await dualhome('distribution', 'show', bob, '--json', '-c', c2.path);
  expect(shown.json()).toMatchObject({ flows: [{ site: 'c1', unknownSince: expect.any(String) }] });
  const listed = await dualhome('distribution', 'list', '-c', c2.path);
  expect(listed.stdout).toContain('nothing heard of it since');
  await rm(shared, { recursive: true });
  await copyDirectory(backup, shared);
  await c1.start();
  await c1.waitServing('processor-home');

  await alarmsAre(c1, 'LOG_RESTORED registration');
  await alarmsAre(c2, 'LINK_PEER_RESTORED c1/registration');
  expect(await registers('bob')).toBe(503);
  expect(await aorsIn(c2, copy)).toEqual([ada, bob]);
  expect(await aorsIn(c1, ownSchema)).toEqual([ada]);

  const why = ['--log', 'registration', '--reason', 'restored on purpose', '--json'];
  const begun = await dualhome('log', 'begin-incarnation', ...why, '-c', c1.path);
  expect(begun.code, begun.stderr).toBe(0);
  await alarmsAre(c1);
  expect(await registers('bob')).toBe(200);
  await alarmsAre(c2, 'LINK_INCARNATION_REPLACED c1/registration', 'LINK_PEER_RESTORED c1/registration');
  expect(await aorsIn(c2, copy)).toEqual([ada, bob]);

  const accepted = await dualhome('pair', 'accept', 'c1', ...why, '-c', c2.path);
  expect(accepted.code, accepted.stderr).toBe(0);
  await c2.waitFor('the present history of c1', async () => (await aorsIn(c2, copy)).includes(bob));
  await alarmsAre(c2);
  for (const [of, site] of [
    ['c1', c1],
    ['c1', c2],
  ] as const) {
    const replayed = await dualhome(
      'log',
      'replay',
      '--log',
      'registration',
      '--compare',
      '--of',
      of,
      '--json',
      '-c',
      site.path,
    );
    expect(replayed.json(), replayed.stderr).toMatchObject({ equal: true });
  }
  const verified = await dualhome('log', 'verify', '--log', 'registration', '--json', '-c', c1.path);
  expect(verified.json()).toMatchObject({ replay: { equal: true }, peers: { c2: { equal: true } } });
});
