import { missing } from '../../support/clients/installed.ts';
import { DualhomePair } from '../dualhome-pair.ts';
import type { BenchOptions } from '../main.ts';
import type { Report } from '../report.ts';
import { besideKamailio, usersOf } from './beside-kamailio.ts';
import { inspectable } from './heap.ts';
import { manyDevices } from './many-devices.ts';
import { nameOf, runs } from './runs.ts';

const registrationsOfRun = 5_000;
const devices = 100_000;

/**
 * Registrations with digest beside Kamailio's, in one run on one machine; then what only this project is asked for:
 * many devices, a front that starts with them, and a site that dies.
 */
export async function run({ rounds, scale, only }: BenchOptions): Promise<Report> {
  const absent = missing('kamailio', 'sipp');
  if (absent) throw new Error(absent);
  const plan = {
    runs: runs.filter((each) => nameOf(each).includes(only)),
    rounds,
    count: Math.round(registrationsOfRun * scale),
  };
  const users = usersOf(plan);
  const count = 'many devices'.includes(only) ? Math.round(devices * scale) : 0;
  await using ours = await DualhomePair.start(users + count, inspectable);
  const cases = [
    ...(plan.runs.length > 0 ? await besideKamailio(ours, plan) : []),
    ...(count > 0 ? await manyDevices(ours, users + 1, count) : []),
  ];
  return { bench: 'registration', cases, processes: ours.memory.peaks };
}
