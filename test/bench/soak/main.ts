import { takePortBlock } from '../../../services/site/port-block.ts';
import { missing } from '../../support/clients/installed.ts';
import { addThirdParty } from '../../support/clients/sip-sites.ts';
import { Sipp } from '../../support/clients/sipp.ts';
import { callsOn, openPath } from '../calls/measure.ts';
import { DualhomePair } from '../dualhome-pair.ts';
import type { BenchOptions } from '../main.ts';
import { ownLoad } from '../registration/loads.ts';
import { limitCase } from '../report.ts';
import type { Report } from '../report.ts';
import { MemoryTrace } from './memory-trace.ts';

const callees = 20;
const callerHost = '127.0.0.3';
const graceS = 60;
/** In ten minutes sipp takes one message or another amiss. */
const callsPerFailure = 10_000;

export const failedCalls = 'calls that did not go as they should';

export type SoakPlan = {
  /** Registered at the site throughout. */
  readonly devices: number;
  readonly callsPerSecond: number;
  readonly seconds: number;
};

/** `npm run bench -- soak`: 50,000 devices and 200 calls a second for ten minutes; `scale` takes of devices and time. */
export async function run({ scale }: BenchOptions): Promise<Report> {
  return await soak({
    devices: Math.round(50_000 * scale),
    callsPerSecond: 200,
    seconds: Math.round(600 * scale),
  });
}

/** Calls through a site with many registered devices at a steady rate, and what its programs' memory does meanwhile. */
export async function soak({ devices, callsPerSecond, seconds }: SoakPlan): Promise<Report> {
  const absent = missing('sipp');
  if (absent) throw new Error(absent);
  await using pair = await DualhomePair.start(2 * callees + devices);
  const { c1 } = pair.two;
  await addThirdParty(c1, 'c3', callerHost);
  await using ports = await takePortBlock();
  const source = { host: '127.0.0.1', port: ports.first };
  const batch = { target: pair.sites[0], source, first: 2 * callees + 1, count: devices, sequence: 1 };
  await ownLoad({ ...batch, atATime: 50 });
  await using path = await openPath(pair, 'one site', { callerHost, callees });

  using memory = new MemoryTrace(c1, seconds);
  const calls = callsPerSecond * seconds;
  await using sipp = await Sipp.start({
    ...callsOn(path),
    calls,
    perSecond: callsPerSecond,
    atATime: calls,
    timeoutS: seconds + graceS,
  });
  const { successful, errors } = await sipp.result();
  if (successful < calls) console.error(errors);
  const lost = limitCase(failedCalls, `of ${calls}`, [calls - successful], calls / callsPerFailure);
  return { bench: 'soak', cases: [lost, ...memory.cases()], processes: pair.memory.peaks };
}
