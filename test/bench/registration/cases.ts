import { caseOf, limitCase } from '../report.ts';
import type { Case } from '../report.ts';
import type { SitePair } from '../site-pair.ts';
import type { Figures } from './measure.ts';
import { nameOf } from './runs.ts';
import type { Run } from './runs.ts';

/** Figures of all rounds by run and system. */
export type Measured = ReadonlyMap<Run, ReadonlyMap<SitePair, readonly Figures[]>>;

/** Beside Kamailio that writes bindings through, and beside Kamailio that keeps them in memory only. */
export type Peers = { readonly writtenThrough: SitePair; readonly inMemory: SitePair };

export function casesOf(measured: Measured, ours: SitePair, peers: Peers): readonly Case[] {
  return [...measured].flatMap(([run, bySystem]) => {
    const figures = (system: SitePair, figure: keyof Figures & `${string}${'Ms' | 'Second'}`): number[] =>
      (bySystem.get(system) ?? []).map((each) => each[figure]);
    const beside = (
      peer: SitePair,
      name: string,
      [unit, figure]: readonly ['1/s', 'perSecond'] | readonly ['ms', 'p50Ms' | 'p99Ms'],
      aim: number | null,
    ): Case =>
      caseOf(
        `${name}, ${nameOf(run)}, beside ${peer.name}`,
        unit,
        figures(ours, figure),
        figures(peer, figure),
        aim,
        unit === '1/s' ? 'higher' : 'lower',
      );
    if (run.findable) {
      const name = `findable at the other site, ${run.atATime} at a time`;
      return [
        limitCase(`${name}, p50`, 'ms', figures(ours, 'findableP50Ms'), 3),
        limitCase(`${name}, p99`, 'ms', figures(ours, 'findableP99Ms'), 20),
      ];
    }
    const { writtenThrough, inMemory } = peers;
    return [
      beside(writtenThrough, 'registrations', ['1/s', 'perSecond'], 4),
      beside(inMemory, 'registrations', ['1/s', 'perSecond'], 1),
      beside(writtenThrough, 'p50', ['ms', 'p50Ms'], null),
      beside(writtenThrough, 'p99', ['ms', 'p99Ms'], null),
    ];
  });
}
