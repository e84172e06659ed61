import { expect, test } from 'vitest';
import { failedCalls, soak } from '../bench/soak/main.ts';
import { missing } from '../support/clients/installed.ts';

test('the soak runs: every call of it goes well, and the memory of every program is followed', async ({
  skip,
}) => {
  const absent = missing('sipp');
  skip(absent !== undefined, absent);
  const { cases, processes } = await soak({ devices: 200, callsPerSecond: 20, seconds: 6 });
  const names = cases.map(({ name }) => name).join();
  for (const program of ['api', 'front', 'synchronizer', 'processor-home', 'processor-standby-c2'])
    expect(names).toContain(`memory of ${program},`);
  for (const { name, ours, peer } of cases) {
    if (name.startsWith(failedCalls)) expect(ours).toBe(0);
    else expect(Math.min(ours, peer)).toBeGreaterThan(10);
  }
  expect(processes.length).toBeGreaterThan(5);
});
