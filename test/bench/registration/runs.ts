import { ownLoad, sippLoad } from './loads.ts';
import type { Load } from './loads.ts';

/** A way to register a batch of users, which is measured at each system in turn. */
export type Run = {
  readonly generator: 'sipp' | 'own';
  readonly atATime: number;
  /** `refresh` registers the users of the run before once more. */
  readonly kind: 'new' | 'refresh';
  /** Also measures from the 200 until the user is found at the other site. */
  readonly findable?: boolean | undefined;
};

/**
 * At 20 at a time sipp waits half of the time on its own clock, hence the second generator; at 400 the receive buffers
 * decide.
 */
export const runs: readonly Run[] = [
  { generator: 'sipp', atATime: 20, kind: 'new' },
  { generator: 'sipp', atATime: 20, kind: 'refresh' },
  { generator: 'own', atATime: 20, kind: 'new' },
  { generator: 'own', atATime: 20, kind: 'refresh' },
  { generator: 'sipp', atATime: 100, kind: 'new' },
  { generator: 'sipp', atATime: 100, kind: 'refresh' },
  { generator: 'sipp', atATime: 400, kind: 'new' },
  { generator: 'sipp', atATime: 400, kind: 'refresh' },
  { generator: 'own', atATime: 20, kind: 'new', findable: true },
  { generator: 'own', atATime: 2, kind: 'new', findable: true },
];

export const loadOf = ({ generator }: Run): Load => (generator === 'sipp' ? sippLoad : ownLoad);

export const nameOf = ({ generator, atATime, kind, findable }: Run): string =>
  `${generator} generator, ${atATime} at a time, ${findable ? 'findable' : kind}`;
