import type { Address, FrontConfig } from '../../protocol/program-config.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';
import type { SipUri } from '../../sip/message/uri.ts';
import type { Via } from '../../sip/message/via.ts';
import { formatVia } from '../../sip/message/via.ts';
import { Params } from '../../sip/message/params.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { bare } from '../../sip/transport/received.ts';
import { dialogEnds } from '../calls/dialog-token.ts';

/** The names this front goes by, and what it writes of itself into messages. */
export class OwnAddresses {
  readonly #advertised: readonly Address[];
  readonly #hostPorts: ReadonlySet<string>;
  readonly #keys: TokenKeys;

  constructor(listeners: FrontConfig['listeners'], keys: TokenKeys) {
    this.#advertised = listeners.map(({ advertised }) => advertised);
    this.#keys = keys;
    this.#hostPorts = new Set(
      listeners.flatMap(({ transport, listen, advertised }) =>
        [listen, advertised].map(({ host, port }) => hostPort(host, port, transport === 'tls')),
      ),
    );
  }

  /** A Route that leads here: to one of our addresses, or with a dialog token of the pair, whose site may be gone. */
  isOwnRoute(uri: SipUri): boolean {
    return this.isHere(uri) || (uri.user !== undefined && dialogEnds(this.#keys, uri.user) !== undefined);
  }

  isHere({ host, port, scheme, params }: SipUri): boolean {
    const isTls = scheme === 'sips' || params.get('transport')?.toLowerCase() === 'tls';
    return this.#hostPorts.has(hostPort(host, port, isTls));
  }

  isOwnVia({ host, port, transport }: Via): boolean {
    return this.#hostPorts.has(hostPort(host, port, transport === 'TLS'));
  }

  /** This element's Via for a request sent over the flow. */
  via({ listener, transport }: Flow, branch: string): string {
    const { host, port } = this.#at(listener);
    const params = new Params([{ name: 'branch', value: branch }, { name: 'rport' }]);
    return formatVia({ transport, host, port, params });
  }

  /** Record-Route of a request that came over one flow and leaves over another: one value, or one a side (RFC 5658). */
  recordRoute(token: string, from: Flow, to: Flow): string {
    const [incoming, outgoing] = [from, to].map((flow) => this.#routeUri(token, flow));
    return incoming === outgoing ? `<${incoming}>` : `<${outgoing}>, <${incoming}>`;
  }

  /** This element as the sender of a request over the flow. */
  uri({ listener }: Flow): string {
    const { host, port } = this.#at(listener);
    return `sip:${host}:${port}`;
  }

  #routeUri(token: string, { listener, transport }: Flow): string {
    const { host, port } = this.#at(listener);
    const suffix = transport === 'UDP' ? '' : `;transport=${transport.toLowerCase()}`;
    return `sip:${token}@${host}:${port}${suffix};lr`;
  }

  #at(listener: number): Address {
    const advertised = this.#advertised[listener];
    if (!advertised) throw new Error(`no listener ${listener}`);
    return advertised;
  }
}

function hostPort(host: string, port: number | undefined, isTls: boolean): string {
  return `${bare(host)} ${port ?? (isTls ? 5061 : 5060)}`;
}
