import { directionIn, waitForStatus } from './replication.ts';
import type { Population } from '../../simulator/population.ts';
import type { TourPhones } from './calls.ts';
import type { DemoPair } from './demo-pair.ts';
import { showMoves, showReturn } from './devices.ts';
import type { TourContext } from './tour.ts';

/** Site c1 dies at once, its devices go to c2 by themselves, and c1 comes back on what its disks hold. */
export async function showFailover(
  pair: DemoPair,
  devices: Population,
  phones: TourPhones,
  context: TourContext,
): Promise<void> {
  const killedMs = performance.now();
  await loseSite(pair, context);
  await showMoves(devices, context, killedMs);
  await phones.callWhileDead(context);
  await bringBack(pair, context);
  await showReturn(devices, context);
  await phones.callAfterwards(context);
}

async function loseSite({ c1, c2 }: DemoPair, { steps, signal }: TourContext): Promise<void> {
  await steps.run(
    'site-lost',
    'c1 is killed, every process with kill -9; c2 says what it does not know',
    async () => {
      await c1.kill();
      const status = await waitForStatus(
        c2,
        (seen) => directionIn(seen, 'c1', 'c2')?.health === 'unknown',
        signal,
      );
      return { loss: directionIn(status, 'c1', 'c2')?.loss ?? null };
    },
  );
}

async function bringBack({ c1, c2 }: DemoPair, { steps, signal }: TourContext): Promise<void> {
  await steps.run('site-back', 'c1 starts again; both sites are as one pair', async () => {
    await c1.startAgain(signal);
    for (const site of [c1, c2]) await waitForStatus(site, ({ health }) => health === 'ok', signal);
    return {};
  });
}
