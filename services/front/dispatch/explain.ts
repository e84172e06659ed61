import type { DispatchExplanation, DispatchTable, ProcessorView } from '../../protocol/rest/dispatch.ts';
import type { SiteConfiguration } from '../store/site-configuration.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { ProcessorClient } from './processor-client.ts';

/** The dispatch table in effect. */
export function dispatchTable(
  processors: readonly ProcessorClient[],
  { rules, seq }: SiteConfiguration,
): DispatchTable {
  return { processors: processors.map(viewOf), rules: [...rules], rulesSeq: seq };
}

/** Which processor decides about the address `user@host`, and why; asks them as a registration would. */
export async function explainDispatch(dispatcher: Dispatcher, aor: string): Promise<DispatchExplanation> {
  const { processors, basis, rule } = dispatcher.order(aor);
  const [user = '', host = ''] = aor.split('@');
  const owner = await dispatcher.claimantOf({ user, host: host.toLowerCase() });
  const claimant = processors.find(({ config }) => config.owner === owner);
  return {
    aor,
    basis,
    rule: rule ?? null,
    asked: processors.map(viewOf),
    decidedBy: owner ?? null,
    drainedBy: (claimant && dispatcher.drainOf(aor, claimant)) ?? null,
  };
}

function viewOf({ config, isServing, state }: ProcessorClient): ProcessorView {
  const { owner, role } = config;
  return { owner, role, serving: isServing, reason: state?.reason ?? null };
}
