import { RpcClient } from '../../../support/clients/kamailio/rpc.ts';
import type { Finder } from './findable.ts';

/** How the other site of a system is asked. */
export type FinderSpec = { readonly kind: 'kamailio'; readonly rpcPort: number };

export async function openFinder(spec: FinderSpec): Promise<Finder> {
  const rpc = await RpcClient.open(spec.rpcPort);
  return {
    find: async ({ name }) => (await rpc.call('ul.lookup', 'location', name)) !== undefined,
    [Symbol.asyncDispose]: async () => rpc[Symbol.dispose](),
  };
}
