import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Sipp } from '../../support/clients/sipp.ts';
import { usersFrom } from '../../support/clients/users.ts';
import type { RegisterLoad, RegisterLoadResult } from '../programs/register-load.ts';
import { cpuOfEndedChildren } from '../cpu.ts';
import type { FinderSpec } from './load/finders.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';

/** Registrations of users `first` to `first + count - 1`, `atATime` of them at any moment. */
export type Batch = {
  readonly target: SipAddress;
  readonly source: SipAddress;
  readonly first: number;
  readonly count: number;
  readonly atATime: number;
  readonly sequence: number;
  readonly finder?: FinderSpec | undefined;
};

export type LoadResult = {
  readonly elapsedMs: number;
  readonly responseTimesMs: readonly number[];
  readonly findableMs: readonly number[];
  readonly retransmissions: number;
  /** Of the generator. */
  readonly cpuS: number;
};

const expiresS = 3600;
/** Of what a generator that falls behind may lose. */
const failedShareMax = 0.01;

/** One way to generate load. */
export type Load = (batch: Batch) => Promise<LoadResult>;

/** sipp; its clock has steps of 4 ms, and at 20 at a time its own pace is the limit. */
export const sippLoad: Load = async ({ target, source, first, count, atATime, sequence }) => {
  const cpuBeforeS = cpuOfEndedChildren();
  await using sipp = await Sipp.start({
    scenario: 'register',
    target,
    port: source.port,
    users: usersFrom(first, count),
    calls: count,
    atATime,
    callId: `load-${first}-%u`,
    sequence,
    keywords: { expires: expiresS },
    timeoutS: 120,
  });
  const result = await sipp.result();
  if (result.successful < count * (1 - failedShareMax)) throw new Error(result.errors);
  return { ...result, findableMs: [], cpuS: cpuOfEndedChildren() - cpuBeforeS };
};

/** Our own generator, without a pace of its own. */
export const ownLoad: Load = async (batch) => {
  const load: RegisterLoad = { ...batch, expiresS };
  const path = join(import.meta.dirname, '../programs/register-load.ts');
  const child = fork(path, [JSON.stringify(load)]);
  const exited = once(child, 'exit');
  const [result] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error('the generator ended without a result'))),
  ])) as [RegisterLoadResult];
  await exited;
  if (result.failed > 0) throw new Error(`${result.failed} of ${batch.count} registrations failed`);
  return result;
};
