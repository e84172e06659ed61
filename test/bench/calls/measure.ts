import { runSipp } from '../../support/clients/sipp.ts';
import type { SippOptions } from '../../support/clients/sipp.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';
import { SippCallee } from '../../support/clients/sipp-callee.ts';
import { usersFrom } from '../../support/clients/users.ts';
import type { SipUser } from '../../support/clients/users.ts';
import { CpuMeter, untilIdle } from '../cpu-meter.ts';
import type { ProcessRoots } from '../cpu-meter.ts';
import type { CpuSeconds } from '../cpu.ts';
import { percentile } from '../report.ts';
import type { SitePair } from '../site-pair.ts';
import { callerPhone, callOnce, untilReachable } from './call-once.ts';

/** Callees are registered at the site that is called, or at the other one. */
export const ways = ['one site', 'across two sites'] as const;
export type Way = (typeof ways)[number];

/** How calls go: whom to, and the site they are sent to. */
export type CallPath = {
  readonly callerHost: string;
  readonly site: SipAddress;
  readonly callees: readonly SipUser[];
};

export type Figures = {
  readonly perSecond: number;
  /** From INVITE to 180, at `delayPerSecond`. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly delays: number;
  /** CPU seconds per 10,000 calls. */
  readonly cpuS: CpuSeconds;
};

const atATime = 100;
const delayPerSecond = 200;
const delaySeconds = 5;
const probes = 4;
const timeoutS = 60;

/** Registers callees and waits until each can be called. */
export async function openPath(
  { sites }: SitePair,
  way: Way,
  { callerHost, callees }: { readonly callerHost: string; readonly callees: number },
): Promise<CallPath & AsyncDisposable> {
  const [site] = sites;
  const [place, first] = way === 'one site' ? [site, 1] : [sites[1], callees + 1];
  const called = await SippCallee.start(place, usersFrom(first, callees));
  await untilReachable(called.users, site, callerHost);
  return {
    callerHost,
    site,
    callees: called.users,
    [Symbol.asyncDispose]: () => called[Symbol.asyncDispose](),
  };
}

export async function measure(path: CallPath, calls: number, processes: ProcessRoots): Promise<Figures> {
  const meter = new CpuMeter(processes);
  const { elapsedMs } = await runSipp({ ...callsOn(path), calls, atATime });
  await untilIdle(processes);
  const cpuS = [...meter.seconds()].map(([name, s]) => [name, (s / calls) * 10_000] as const);
  const delaysMs = await postDialDelaysMs(path);
  return {
    perSecond: calls / (elapsedMs / 1000),
    p50Ms: percentile(delaysMs, 50),
    p99Ms: percentile(delaysMs, 99),
    delays: delaysMs.length,
    cpuS: new Map(cpuS),
  };
}

export function describe({ perSecond, p50Ms, p99Ms, delays, cpuS }: Figures): string {
  const cpu = [...cpuS].filter(([, s]) => s >= 0.05).map(([name, s]) => `${name} ${s.toFixed(2)}`);
  return [
    `${perSecond.toFixed(0)} calls/s`,
    `INVITE to 180 at ${delayPerSecond}/s: p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)} ms (${delays} calls)`,
    `CPU s per 10,000: ${cpu.join(', ')}`,
  ].join('; ');
}

/** Times from INVITE to 180 while sipp makes calls at a steady rate; sipp's own clock has steps of 4 ms. */
async function postDialDelaysMs(path: CallPath): Promise<readonly number[]> {
  const { callerHost, site, callees } = path;
  const calls = delayPerSecond * delaySeconds;
  const load = runSipp({ ...callsOn(path), calls, perSecond: delayPerSecond, atATime: calls });
  const state = { isOver: false };
  const ended = load.finally(() => (state.isOver = true));
  const probing = Array.from({ length: probes }, async (_, probe) => {
    const delaysMs: number[] = [];
    await using phone = await callerPhone(callerHost);
    for (let n = probe; !state.isOver; n += probes) {
      const user = callees[n % callees.length];
      if (user) delaysMs.push((await callOnce(phone, site, user)).delayMs);
    }
    return delaysMs;
  });
  const [delays] = await Promise.all([Promise.all(probing), ended]);
  return delays.flat();
}

/** What sipp needs to call along a path. */
export const callsOn = ({
  callerHost: host,
  site,
  callees: users,
}: CallPath): Omit<SippOptions, 'calls'> => ({
  scenario: 'uac',
  target: site,
  host,
  users,
  timeoutS,
});
