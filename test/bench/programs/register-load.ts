import { ClosedLoop } from '../registration/load/closed-loop.ts';
import type { ClosedLoopOptions, ClosedLoopResult } from '../registration/load/closed-loop.ts';
import { FindableSampler } from '../registration/load/findable.ts';
import { openFinder } from '../registration/load/finders.ts';
import type { FinderSpec } from '../registration/load/finders.ts';

export type RegisterLoad = ClosedLoopOptions & { readonly finder?: FinderSpec | undefined };

export type RegisterLoadResult = ClosedLoopResult & {
  readonly findableMs: readonly number[];
  /** Of this process. */
  readonly cpuS: number;
};

/** Load generator in a process of its own: `node register-load.ts <options as JSON>`; sends the result to its parent. */
const { finder, ...options }: RegisterLoad = JSON.parse(process.argv[2] ?? '{}');
await using open = finder && (await openFinder(finder));
const sampler = open && new FindableSampler(open);
const cpuBefore = process.cpuUsage();
const result = await new ClosedLoop(options, (user) => sampler?.registered(user)).run();
const cpu = process.cpuUsage(cpuBefore);
await sampler?.finish();
const report: RegisterLoadResult = {
  ...result,
  findableMs: sampler?.timesMs ?? [],
  cpuS: (cpu.user + cpu.system) / 1e6,
};
process.send?.(report);
