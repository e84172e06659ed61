import { defaultBehaviour, Population } from '../../simulator/population.ts';
import type { Account } from '../../simulator/population.ts';
import type { Tally } from '../../simulator/tally.ts';
import { formatDuration } from '../output/format.ts';
import type { DemoPair } from './demo-pair.ts';
import { sampleAccount } from './sample.ts';
import type { TourContext } from './tour.ts';

export const demoDevices = 200;

/** Handshakes as quick as a tour needs them; phones ask every half minute or so. */
const behaviour = { ...defaultBehaviour, probeIntervalMs: 1_000, missedMax: 2, retryMs: 500 };
const answerMsMax = 2_000;
const startsPerSecond = 100;

/** Switches the devices of c1's first subscribers on. */
export function startDevices({ c1, c2 }: DemoPair): Promise<Population> {
  const accounts = Array.from({ length: demoDevices }, (_, i): Account => sampleAccount(c1.name, i + 1));
  return Population.start({
    accounts,
    sites: { primary: c1.sip, backup: c2.sip },
    behaviour,
    startsPerSecond,
    answerMsMax,
    address: c1.sip.address,
  });
}

/** Every device registers; one that its home site is too slow for goes to the other at once, and stays there. */
export async function showRegistrations(
  population: Population,
  { steps, signal }: TourContext,
): Promise<void> {
  await steps.run(
    'devices',
    `${demoDevices} devices with c1 as primary and c2 as backup register`,
    async () => places(await population.until(({ nowhere }) => nowhere === 0, signal)),
    ({ registering, atPrimary, atBackup }) =>
      `${atPrimary} at c1, ${atBackup} at c2, ${formatDuration(registering.p50Ms)} each (median)`,
  );
}

/** Every device has noticed by itself that its home site is gone. */
export async function showMoves(
  population: Population,
  { steps, signal }: TourContext,
  killedMs: number,
): Promise<void> {
  await steps.run(
    'devices-moved',
    'The devices notice by their handshake, and register at c2',
    async () => {
      const tally = await population.until(({ atBackup }) => atBackup === demoDevices, signal);
      return { ...places(tally), moves: tally.moves, sinceKillMs: Math.round(performance.now() - killedMs) };
    },
    ({ moves, sinceKillMs }) =>
      `${formatDuration(moves.p50Ms)} each (median), the last one ${formatDuration(sinceKillMs)} after the kill`,
  );
}

/** Told by their users, as nobody else may tell them yet, the devices go home. */
export async function showReturn(population: Population, { steps, signal }: TourContext): Promise<void> {
  await steps.run(
    'devices-home',
    'None of them returned by itself; told to, they register at c1 again',
    async () => {
      const { atBackup } = population.tally();
      let tally = population.tally();
      while (tally.atPrimary < demoDevices) tally = await population.go('primary', signal);
      return { stayed: atBackup, ...places(tally) };
    },
    ({ stayed, atPrimary }) => `${stayed} had stayed at c2, now ${atPrimary} are at c1`,
  );
}

function places({ devices, atPrimary, atBackup, nowhere, registering }: Tally) {
  return { devices, atPrimary, atBackup, nowhere, registering };
}
