import { sourceText } from '../../protocol/dispatch/common.ts';
import type { CallTarget } from '../../protocol/rest/dispatch.ts';
import { sourceOf } from '../dispatch/facts.ts';
import type { Binding, Chain, Target } from './target.ts';

/** From where a call is looked at: this site, and since when what it knows of a peer is not known to be current. */
export type Viewpoint = {
  readonly site: string;
  readonly unknownSince: (peer: string) => Date | null;
};

/** Where chains lead, as an operator is told. */
export function targetViews(chains: readonly Chain[], viewpoint: Viewpoint): CallTarget[] {
  return chains.flatMap((chain) => chain.flatMap((target, i) => targetView(target, i + 1, viewpoint)));
}

function targetView(target: Target, order: number, viewpoint: Viewpoint): CallTarget[] {
  switch (target.kind) {
    case 'flow':
      return [deviceView(target.binding, order, viewpoint)];
    case 'peer':
      return [
        target.binding
          ? deviceView(target.binding, order, viewpoint)
          : { kind: 'peer', site: target.site, order, unknownSince: doubt(target.site, viewpoint) },
      ];
    case 'next-hop':
      return [{ kind: 'next-hop', uri: target.uri, server: sourceText(sourceOf(target.server)), order }];
    default:
      return [];
  }
}

function deviceView(
  { aor, device, contact, site }: Binding,
  order: number,
  viewpoint: Viewpoint,
): CallTarget {
  return { kind: 'device', aor, device, contact, site, order, unknownSince: doubt(site, viewpoint) };
}

function doubt(site: string, viewpoint: Viewpoint): string | null {
  return site === viewpoint.site ? null : (viewpoint.unknownSince(site)?.toISOString() ?? null);
}

/** What is done with one target. */
export function targetInWords(target: CallTarget, here: string): string {
  const when = target.order === 1 ? 'at once' : `as number ${target.order}, if the one before is not reached`;
  switch (target.kind) {
    case 'device': {
      const way = target.site === here ? 'registered here' : `registered at ${target.site}, via its front`;
      return `device ${target.device} of ${target.aor} at ${target.contact} is rung ${when}: ${way}${doubtInWords(target.unknownSince)}`;
    }
    case 'peer':
      return `${target.site} is asked ${when} for whatever devices it knows${doubtInWords(target.unknownSince)}`;
    case 'next-hop':
      return `it is sent to next hop ${target.uri} (${target.server}) ${when}`;
  }
}

function doubtInWords(unknownSince: string | null): string {
  return unknownSince === null
    ? ''
    : `; whether it still has what is known of it is unknown since ${unknownSince}`;
}
