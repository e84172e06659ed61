import { setTimeout as sleep } from 'node:timers/promises';
import { changeDoneSchema } from '../../../services/protocol/rest/changes.ts';
import type { HttpClient } from '../../../services/platform/http/client.ts';
import { caseOf, percentile } from '../report.ts';
import { Dualhome } from '../replication/dualhome.ts';
import type { Part } from './main.ts';
import { pacedLatenciesMs } from './paced-latency.ts';

const perSecond = 50;
const aloneMs = 10_000;
const subscribers = 500;
const aim = 1.5;

const name = 'home commit during a full resync into its standby';

/** A change at c2, answered when its home has committed it. */
const changeAt = (c2: HttpClient, mark: number) => (n: number) =>
  c2.request('POST', '/v1/changes', {
    body: {
      op: 'put',
      kind: 'subscriber',
      key: `local${n % subscribers}@c2.example`,
      row: { display_name: `Mark ${mark} ${n}`, home_site: 'c2', backup_site: 'c1' },
    },
    answer: changeDoneSchema,
  });

/** The peer's 1,000,000 subscribers are put into the standby of a site whose own configuration changes meanwhile. */
export const part: Part = {
  name,
  run: async ({ rounds, scale }) => {
    await using system = await Dualhome.start(Math.round(1_000_000 * scale));
    using c2 = await system.sites.c2.api();
    const alone: (readonly number[])[] = [];
    const loaded: (readonly number[])[] = [];
    // Once for compilers and caches, whose figures do not count.
    for (let round = 0; round <= rounds; round += 1) {
      await system.settle();
      const quiet = await pacedLatenciesMs(changeAt(c2, 2 * round), { perSecond, during: sleep(aloneMs) });
      const during = system.initialCopyMs();
      const busy = await pacedLatenciesMs(changeAt(c2, 2 * round + 1), { perSecond, during });
      console.error(
        `round ${round}: alone ${described(quiet)}; during ${Math.round(await during)} ms of resync ${described(busy)}`,
      );
      if (round === 0) continue;
      alone.push(quiet);
      loaded.push(busy);
    }
    const cases = [50, 99].map((percent) => {
      const of = (figures: readonly (readonly number[])[]): readonly number[] =>
        figures.map((latenciesMs) => percentile(latenciesMs, percent));
      return caseOf(`${name}, p${percent}`, 'ms', of(loaded), of(alone), aim);
    });
    return { cases, processes: system.peaks };
  },
};

const described = (latenciesMs: readonly number[]): string =>
  [50, 99].map((percent) => `p${percent} ${percentile(latenciesMs, percent).toFixed(2)} ms`).join(' ');
