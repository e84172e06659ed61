import { openDatabase } from '../../services/platform/postgres/database.ts';
import { createKamailioTables } from '../support/clients/kamailio/database.ts';
import { KamailioRegistrar } from '../support/clients/kamailio/registrar.ts';
import type { KamailioRegistrarOptions } from '../support/clients/kamailio/registrar.ts';
import type { SipAddress } from '../support/clients/sip-address.ts';
import { usersFrom } from '../support/clients/users.ts';
import { testServer } from '../support/test-server.ts';
import type { ProcessRoots } from './cpu-meter.ts';
import type { FinderSpec } from './registration/load/finders.ts';
import type { SitePair } from './site-pair.ts';

/** Kamailio's own default; with fewer it writes bindings more slowly. */
const children = 8;

/** Two Kamailios on a DMQ bus, each with a PostgreSQL of its own. */
export class KamailioPair implements SitePair {
  readonly name: string;
  readonly sites: readonly [SipAddress, SipAddress];
  readonly finder: FinderSpec;
  readonly processes: ProcessRoots;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    name: string,
    [a, b]: readonly [KamailioRegistrar, KamailioRegistrar],
    processes: ProcessRoots,
    owned: AsyncDisposableStack,
  ) {
    this.name = name;
    this.sites = [a.address, b.address];
    this.finder = { kind: 'kamailio', rpcPort: b.kamailio.rpcPort };
    this.processes = processes;
    this.#owned = owned;
  }

  /** With users 1 to `users`. */
  static async start(bindings: KamailioRegistrarOptions['bindings'], users: number): Promise<KamailioPair> {
    await using stack = new AsyncDisposableStack();
    const processes = new Map<string, number>();
    const startOne = async (name: string, peer?: KamailioRegistrar): Promise<KamailioRegistrar> => {
      const server = stack.use(await testServer({ durable: true }));
      const databaseUrl = server.url('postgres');
      await using database = openDatabase({ url: databaseUrl, applicationName: 'bench' });
      await createKamailioTables(database, usersFrom(1, users));
      const registrar = stack.use(await KamailioRegistrar.start({ databaseUrl, bindings, peer, children }));
      processes.set(`kamailio ${name}`, registrar.kamailio.pid);
      processes.set(`postgres ${name}`, server.server.pid);
      return registrar;
    };
    const a = await startOne('a');
    const b = await startOne('b', a);
    return new KamailioPair(
      bindings === 'database' ? 'Kamailio written through' : 'Kamailio in memory',
      [a, b],
      processes,
      stack.move(),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
