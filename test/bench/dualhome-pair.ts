import { sipAddressOf, addUsers } from '../support/clients/sip-sites.ts';
import type { SipAddress } from '../support/clients/sip-address.ts';
import { usersFrom } from '../support/clients/users.ts';
import { TwoSites } from '../support/two-sites.ts';
import type { ProcessRoots } from './cpu-meter.ts';
import type { FinderSpec } from './registration/load/finders.ts';
import type { SitePair } from './site-pair.ts';
import { SiteProcesses } from './site-processes.ts';

/** Two complete sites of this project. */
export class DualhomePair implements SitePair {
  readonly name = 'dualhome';
  readonly two: TwoSites;
  readonly sites: readonly [SipAddress, SipAddress];
  readonly finder: FinderSpec;
  readonly processes: ProcessRoots;
  /** Peaks of memory since the start. */
  readonly memory: SiteProcesses;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    fields: Pick<DualhomePair, 'two' | 'sites' | 'finder' | 'processes' | 'memory'>,
    owned: AsyncDisposableStack,
  ) {
    this.two = fields.two;
    this.sites = fields.sites;
    this.finder = fields.finder;
    this.processes = fields.processes;
    this.memory = fields.memory;
    this.#owned = owned;
  }

  /** With users 1 to `users` at home on the first; `env` reaches every program. */
  static async start(users: number, env: Readonly<Record<string, string>> = {}): Promise<DualhomePair> {
    await using stack = new AsyncDisposableStack();
    const two = stack.use(await TwoSites.start({ direct: true, env: { c1: env, c2: env } }));
    const memory = stack.use(new SiteProcesses([two.c1, two.c2]));
    await addUsers(two, usersFrom(1, users));
    const processes = new Map<string, number>();
    for (const site of [two.c1, two.c2])
      for (const [unit, { pid }] of await site.processes()) processes.set(`${site.name} ${unit}`, pid);
    const sites = [await sipAddressOf(two.c1), await sipAddressOf(two.c2)] as const;
    const finder = { kind: 'dualhome', url: await two.c2.databaseUrl('shared') } as const;
    return new DualhomePair({ two, sites, finder, processes, memory }, stack.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
