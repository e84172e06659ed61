import { runSipp } from '../../support/clients/sipp.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';
import type { SipUser } from '../../support/clients/users.ts';
import { CpuMeter, untilIdle } from '../cpu-meter.ts';
import type { ProcessRoots } from '../cpu-meter.ts';
import type { CpuSeconds } from '../cpu.ts';
import { callerPhone, callOnce } from './callees.ts';

/** How calls go: whom to, and the site they are sent to. */
export type CallPath = {
  readonly callerHost: string;
  readonly site: SipAddress;
  readonly callees: readonly SipUser[];
};

const atATime = 100;
const probes = 4;

export type Throughput = {
  readonly perSecond: number;
  /** CPU seconds per 10,000 calls. */
  readonly cpuS: CpuSeconds;
};

/** As many calls as go, 100 at any moment; the callee takes each after 20 ms. */
export async function throughput(
  { callerHost, site, callees }: CallPath,
  calls: number,
  processes: ProcessRoots,
): Promise<Throughput> {
  const meter = new CpuMeter(processes);
  const { elapsedMs } = await runSipp({
    scenario: 'uac',
    target: site,
    host: callerHost,
    users: callees,
    calls,
    atATime,
    timeoutS: 60,
  });
  await untilIdle(processes);
  const cpuS = [...meter.seconds()].map(([name, s]) => [name, (s / calls) * 10_000] as const);
  return { perSecond: calls / (elapsedMs / 1000), cpuS: new Map(cpuS) };
}

/** Times from INVITE to 180 while sipp makes calls at a steady rate; sipp's own clock has steps of 4 ms. */
export async function postDialDelaysMs(
  { callerHost, site, callees }: CallPath,
  perSecond: number,
  seconds: number,
): Promise<readonly number[]> {
  const load = runSipp({
    scenario: 'uac',
    target: site,
    host: callerHost,
    users: callees,
    calls: perSecond * seconds,
    perSecond,
    atATime: perSecond,
    timeoutS: 60,
  });
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
