import { expect, it } from 'vitest';
import { SoftPhone } from '../support/soft-phone.ts';
import type { TestSite } from '../support/test-site.ts';
import { TwoSites } from '../support/two-sites.ts';

const rounds = 10;

/** What can happen to a processor, and how it is over again. */
const faults = [
  { fault: 'killed', unit: (processor: string) => processor, signal: 'SIGKILL' },
  { fault: 'stopped', unit: (processor: string) => processor, signal: 'SIGSTOP' },
  { fault: 'without database', unit: databaseOf, signal: 'SIGKILL' },
  { fault: 'with a database that hangs', unit: databaseOf, signal: 'SIGSTOP' },
] as const;

function databaseOf(processor: string): string {
  return processor === 'processor-home' ? 'home' : 'standby_c2';
}

/** A phone that is registered. */
async function phone(site: TestSite, user: string, domain: string): Promise<SoftPhone> {
  const opened = await SoftPhone.open({ user, domain }, await site.sip());
  expect(await opened.register()).toBe(200);
  return opened;
}

/** Registers again and again; how long it takes is measured by the bench. */
async function keepRegistering(device: SoftPhone): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let round = 0; round < rounds; round += 1) statuses.push(await device.register());
  return statuses;
}

const allWell = Array.from({ length: rounds }, () => 200);

it('what befalls one processor changes nothing for the devices of another', async () => {
  await using pair = await TwoSites.start();
  const { c1 } = pair;
  await Promise.all([pair.provision('c1', ['ada', 'eve']), pair.provision('c2', ['bob', 'eve'])]);
  await using own = await phone(c1, 'ada', 'c1.example');
  await using peers = await phone(c1, 'bob', 'c2.example');

  for (const [processor, unharmed, domain, harmed] of [
    ['processor-standby-c2', own, 'c1.example', peers],
    ['processor-home', peers, 'c2.example', own],
  ] as const) {
    for (const { fault, unit, signal } of faults) {
      const pid = await c1.kill(unit(processor), signal);
      expect(await keepRegistering(unharmed), `${processor} ${fault}`).toEqual(allWell);
      // Nor for one who was not there before.
      await using other = await SoftPhone.open({ user: 'eve', domain }, await c1.sip());
      expect(await other.register(), `${processor} ${fault}`).toBe(200);

      // Whose processor it is, is sent to the other site.
      if (fault === 'stopped') expect(await harmed.register(), processor).toBe(503);
      if (signal === 'SIGSTOP') await c1.kill(unit(processor), 'SIGCONT');
      else await c1.waitForRestart(unit(processor), pid);
      await c1.waitServing(processor);
    }
  }
  for (const device of [own, peers]) expect(await device.register()).toBe(200);
});
