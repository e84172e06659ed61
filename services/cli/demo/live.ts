import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { isAbortOf } from '../../platform/lifecycle/abort.ts';
import { renderStatus } from '../output/status-screen.ts';
import type { Output } from '../output/output.ts';
import { describeTally } from '../output/tally-screen.ts';
import type { Population } from '../../simulator/population.ts';
import type { DemoPair } from './demo-pair.ts';
import { makeChanges, readStatus } from './replication.ts';
import { sampleSubscriber, subscribersPerSite } from './sample.ts';

const redrawMs = 1_000;

/** A small change at each site every second, and the status of both directions, until interrupted. */
export async function showLive(
  pair: DemoPair,
  devices: Population,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  process.stdout.write(`\n${placesOf(pair)}\n\n`);
  const screen = new Screen();
  for (let round = 1; !signal.aborted; round += 1) {
    await changeEach(pair, round).catch(() => undefined);
    const status = await readStatus(pair.c1).catch(() => undefined);
    const replication = status ? renderStatus(out, status) : 'c1 does not answer';
    screen.draw(`${replication}\n\nDevices of c1: ${describeTally(devices.tally())}`);
    await sleep(redrawMs, undefined, { signal }).catch((error: unknown) => {
      if (!isAbortOf(signal, error)) throw error;
    });
  }
}

function placesOf({ c1, c2 }: DemoPair): string {
  const lines = [c1, c2].map(({ name, path }) => `${name}: npx dualhome status -c ${path}`);
  return ['Both sites run, and change by themselves once a second. Ctrl-C stops them.', ...lines].join('\n');
}

async function changeEach({ c1, c2 }: DemoPair, round: number): Promise<void> {
  const change = async (site: DemoPair['c1'], peer: DemoPair['c1']): Promise<void> => {
    const { aor } = sampleSubscriber(site.name, peer.name, 1 + (round % subscribersPerSite));
    const row = { aor, display_name: `Live ${new Date().toISOString()}` };
    await makeChanges(site, [{ op: 'merge', kind: 'subscriber', row }], 'live status');
  };
  await Promise.all([change(c1, c2), change(c2, c1)]);
}

/** Draws over what it drew before; without a terminal it draws once. */
class Screen {
  #lines = 0;

  draw(text: string): void {
    if (!process.stdout.isTTY && this.#lines > 0) return;
    const up = this.#lines === 0 ? '' : `\u001B[${this.#lines}A\u001B[J`;
    process.stdout.write(`${up}${text}\n`);
    this.#lines = rowsOf(text);
  }
}

/** Rows of the terminal that a text takes, broken lines counted. */
function rowsOf(text: string): number {
  const width = process.stdout.columns || 80;
  return text
    .split('\n')
    .reduce((rows, line) => rows + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / width)), 0);
}
