import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../../services/platform/postgres/database.ts';
import { steadyPlans } from '../../../../services/log/steady-plans.ts';
import { RpcClient } from '../../../support/clients/kamailio/rpc.ts';
import { aorOf } from '../../../support/clients/users.ts';
import type { Finder } from './findable.ts';

/** How the other site of a system is asked. */
export type FinderSpec =
  | { readonly kind: 'kamailio'; readonly rpcPort: number }
  | { readonly kind: 'dualhome'; readonly url: string };

export const openFinder = (spec: FinderSpec): Promise<Finder> =>
  spec.kind === 'kamailio' ? kamailioFinder(spec.rpcPort) : dualhomeFinder(spec.url);

/** One that asked without pause would take a processor away from what is measured. */
const pauseMs = 1;

/** In the memory of the other Kamailio. */
async function kamailioFinder(rpcPort: number): Promise<Finder> {
  const rpc = await RpcClient.open(rpcPort);
  return {
    untilFound: async ({ name }) => {
      while ((await rpc.call('ul.lookup', 'location', name)) === undefined) await sleep(pauseMs);
    },
    [Symbol.asyncDispose]: async () => rpc[Symbol.dispose](),
  };
}

/** Waits in the server, looking every millisecond and sleeping in between. */
const waitFunction = `
  create or replace function pg_temp.until_found(wanted text) returns void
  language plpgsql as $$
  begin
    loop
      perform from peer_c1.flows where key >= wanted || ' ' and key < wanted || '!';
      exit when found;
      perform pg_sleep(0.001);
    end loop;
  end $$`;

/** In the other site's distribution, durable there. */
async function dualhomeFinder(url: string): Promise<Finder> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(
    openDatabase({ url, applicationName: 'bench', poolMax: 1, settings: steadyPlans }),
  );
  const session = stack.use(await database.session());
  await session.query(waitFunction);
  const owned = stack.move();
  return {
    untilFound: async (user) => {
      const text = 'select pg_temp.until_found($1)';
      await session.query({ name: 'bench.until-found', text, values: [aorOf(user)] });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
