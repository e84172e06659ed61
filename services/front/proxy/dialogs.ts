import type { Request } from '../../sip/message/message.ts';
import { isSip } from '../../sip/message/uri.ts';
import { routeOnward } from '../../sip/proxy/route.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import type { Admission } from '../calls/admission.ts';
import { deviceDigest, dialogEnds } from '../calls/dialog-token.ts';
import type { DialogEnd } from '../calls/dialog-token.ts';
import { targetOf } from '../calls/plan.ts';
import type { Surroundings } from '../calls/plan.ts';
import { chainOf } from '../calls/target.ts';
import type { Binding, Chain } from '../calls/target.ts';
import type { BindingsSource, Pair } from './ports.ts';
import type { Ways } from './ways.ts';

export type DialogsOptions = {
  readonly pair: Pair;
  readonly bindings: BindingsSource;
  readonly ways: Pick<Ways, 'surroundings' | 'onward' | 'askPeers' | 'flowOf'>;
};

/** Where the ends of dialogs are now: by the devices that tokens name, not by the sockets they once had. */
export class Dialogs {
  readonly #options: DialogsOptions;

  constructor(options: DialogsOptions) {
    this.#options = options;
  }

  /**
   * The way to the other end: the device's flows, newest first, or whatever a peer knows of it; of an end that is no
   * device, where the request itself leads.
   */
  async chainsTo(
    { end, uri, routes }: Admission & { readonly kind: 'dialog' },
    isFromPeer: boolean,
  ): Promise<Chain[]> {
    const { bindings, ways } = this.#options;
    if (!end) {
      const chain = await ways.onward(routeOnward({ uri, routes }).nextHop);
      return chain ? [chain] : [];
    }
    const ofDevice = bindings.of(end.aor).filter(({ device }) => deviceDigest(device) === end.device);
    const through = (surroundings: Surroundings): Chain | undefined => {
      const targets = ofDevice.map((binding) => targetOf(binding, surroundings, isFromPeer));
      return chainOf(targets.filter((target) => target !== undefined));
    };
    const chain =
      through(ways.surroundings) ??
      (isFromPeer ? undefined : ways.askPeers({ address: end.aor, number: null })) ??
      // There is no other way: a front that was just dead may be back since it was last probed.
      through({ ...ways.surroundings, isPeerAlive: () => true });
    return chain ? [chain] : [];
  }

  /** The dialog token that the peer's front has put into a request. */
  tokenIn(request: Request): string | undefined {
    const users = (request.addresses('record-route') ?? []).map(({ uri }) =>
      isSip(uri) ? uri.user : undefined,
    );
    return users.find((user) => user !== undefined && dialogEnds(this.#options.pair.keys, user));
  }

  /** Whether a device that the token is about is still registered here by the flow that the peer's front names. */
  isLive(flow: Flow, token: string): boolean {
    const { bindings, pair, ways } = this.#options;
    const ends = dialogEnds(pair.keys, token) ?? [];
    const known = ends.flatMap((end) => (end ? bindings.of(end.aor) : []));
    return known.some((binding) => isSameFlow(ways.flowOf(binding), flow));
  }

  /** The device a subscriber calls from: the one whose flow this is, or the only one he has. */
  endOf(aor: string, flow: Flow): DialogEnd {
    const { bindings, ways } = this.#options;
    const all: readonly Binding[] = bindings.of(aor);
    const [only, ...others] = new Set(all.map(({ device }) => device));
    const here = all.find((binding) => isSameFlow(ways.flowOf(binding), flow))?.device;
    const device = here ?? (others.length === 0 ? only : undefined);
    return device === undefined ? null : { aor, device: deviceDigest(device) };
  }
}

function isSameFlow(a: Flow | undefined, b: Flow): boolean {
  return (
    a?.transport === b.transport &&
    a.connection === b.connection &&
    a.address === b.address &&
    a.port === b.port
  );
}
