import type { DomainRow } from '../calls/configuration.ts';

/** Finds domains by what devices write as the host of an address of record: their names, or one of their aliases. */
export class Domains {
  readonly #byHost = new Map<string, DomainRow>();

  /** A name goes before an alias; of equal aliases the first is found. */
  constructor(domains: readonly DomainRow[]) {
    for (const domain of domains) this.#byHost.set(domain.name, domain);
    for (const domain of domains) {
      for (const alias of domain.aliases) {
        if (!this.#byHost.has(alias)) this.#byHost.set(alias, domain);
      }
    }
  }

  /** By host and port as written, else by the host alone. */
  find(host: string): DomainRow | undefined {
    return this.#byHost.get(host) ?? this.#byHost.get(withoutPort(host));
  }
}

/** The host of `host`, `host:port`, `[v6]` or `[v6]:port`; brackets stay. */
export function withoutPort(hostPort: string): string {
  return /^(\[[^\]]*\]|[^:]*):[0-9]+$/.exec(hostPort)?.[1] ?? hostPort;
}

/** The address of record a user of this domain has, whatever host it was written with. */
export function aorOf(user: string, domain: DomainRow): string {
  return `${user}@${domain.name}`;
}
