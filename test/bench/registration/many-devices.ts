import { takePortBlock } from '../../../services/site/port-block.ts';
import { killSite } from '../../../services/cli/demo/kill-site.ts';
import { defaultBehaviour, Population } from '../../../services/simulator/population.ts';
import { describeTally } from '../../../services/cli/output/tally-screen.ts';
import type { Tally } from '../../../services/simulator/tally.ts';
import { usersFrom } from '../../support/clients/users.ts';
import type { DualhomePair } from '../dualhome-pair.ts';
import { limitCase } from '../report.ts';
import type { Case } from '../report.ts';
import { heapBytesOf } from './heap.ts';
import { ownLoad } from './loads.ts';
import { untilServing } from './options-ping.ts';
import { untilNoTransactions } from './transactions.ts';

const front = 'front';
const atATime = 100;
const heapBytesMax = 500;
const restartMsMax = 5_000;
const movingMax = 5_000;
/** Over what the devices need to notice and to register, one after the other. */
const failoverFactor = 1.2;

/** Registers `count` devices of users from `first` on, starts the front anew, and lets some of them fail over. */
export async function manyDevices(
  pair: DualhomePair,
  first: number,
  count: number,
): Promise<readonly Case[]> {
  const { heapBytes, perSecond } = await registerMany(pair, first, count);
  console.error(`${count} devices: ${heapBytes.toFixed(0)} bytes of heap each, ${perSecond.toFixed(0)}/s`);
  const restartMs = await frontRestartMs(pair);
  console.error(`front with ${count} devices: serves ${restartMs.toFixed(0)} ms after its kill`);
  const moving = Math.min(movingMax, count);
  const { tookMs, noticeMs } = await failover(pair, { first, count: moving, perSecond });
  const limitMs = failoverFactor * (noticeMs + (moving / perSecond) * 1_000);
  console.error(`failover of ${moving} devices: ${tookMs.toFixed(0)} ms, limit ${limitMs.toFixed(0)} ms`);
  return [
    limitCase(`heap per device, ${count} devices`, 'bytes', [heapBytes], heapBytesMax),
    limitCase(`front with ${count} devices serves after a kill`, 'ms', [restartMs], restartMsMax),
    limitCase(`failover of ${moving} devices`, 'ms', [tookMs], limitMs),
  ];
}

async function registerMany(pair: DualhomePair, first: number, count: number) {
  const { c1 } = pair.two;
  await untilNoTransactions(c1);
  const before = await heapBytesOf(c1, front);
  await using ports = await takePortBlock();
  const source = { host: '127.0.0.1', port: ports.first };
  const load = { target: pair.sites[0], source, first, count, atATime, sequence: 1 };
  const { elapsedMs } = await ownLoad(load);
  await untilNoTransactions(c1);
  const heapBytes = ((await heapBytesOf(c1, front)) - before) / count;
  return { heapBytes, perSecond: count / (elapsedMs / 1_000) };
}

/** From kill -9 of the front until its successor serves, with all flows it has. */
async function frontRestartMs(pair: DualhomePair): Promise<number> {
  await pair.two.c1.kill(front);
  const startedMs = performance.now();
  await untilServing(pair.sites[0]);
  return performance.now() - startedMs;
}

type Failover = {
  /** From the kill until every device was registered at the other site. */
  readonly tookMs: number;
  /** What the devices need to notice: interval of the handshake, missed ones, and how long they wait for an answer. */
  readonly noticeMs: number;
};

const answerMsMax = 1_000;
const settledMsMax = 120_000;

/** Registers devices of users from `first` on at home, kills that site whole, and waits until all are at the other. */
async function failover(
  pair: DualhomePair,
  { first, count, perSecond }: { readonly first: number; readonly count: number; readonly perSecond: number },
): Promise<Failover> {
  const [primary, backup] = pair.sites.map(({ host, port }) => ({ address: host, port }));
  if (!primary || !backup) throw new Error('two sites are needed');
  await using devices = await Population.start({
    accounts: usersFrom(first, count).map(({ name, ...account }) => ({ user: name, ...account })),
    sites: { primary, backup },
    behaviour: defaultBehaviour,
    startsPerSecond: perSecond,
    answerMsMax,
    address: '127.0.0.1',
  });
  // On a busy machine one may have moved before the kill; it does not return by itself.
  await settled(devices, ({ atPrimary, atBackup }) => atPrimary + atBackup === count);
  const startedMs = performance.now();
  await killSite(pair.two.c1.layout);
  await settled(devices, ({ atBackup }) => atBackup === count);
  const { probeIntervalMs, missedMax } = defaultBehaviour;
  return {
    tookMs: performance.now() - startedMs,
    noticeMs: probeIntervalMs * missedMax + answerMsMax,
  };
}

async function settled(devices: Population, isSo: (tally: Tally) => boolean): Promise<void> {
  try {
    await devices.until(isSo, AbortSignal.timeout(settledMsMax));
  } catch (cause) {
    throw new Error(`devices did not settle: ${describeTally(devices.tally())}`, { cause });
  }
}
