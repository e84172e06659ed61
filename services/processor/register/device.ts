import { withoutPort } from '../configuration/domains.ts';

/** A configured access device. */
export type Device = {
  readonly name: string;
  readonly instance: string | null;
  readonly address: string | null;
};

/**
 * Tells which of some access devices a registration comes from: by its instance (RFC 5626 section 4.1), else, of those
 * configured without one, by the host of its contact. Of two that fit the first one counts.
 */
export class AccessDevices {
  readonly #byInstance = new Map<string, string>();
  readonly #byAddress = new Map<string, string>();

  constructor(devices: readonly Device[]) {
    for (const { name, instance, address } of devices.toReversed()) {
      if (instance !== null) this.#byInstance.set(bare(instance), name);
      else if (address !== null) this.#byAddress.set(address, name);
    }
  }

  recognise(instance: string | null, contactHost: string | null): string | null {
    const byInstance = instance === null ? undefined : this.#byInstance.get(bare(instance));
    const byAddress =
      contactHost === null
        ? undefined
        : (this.#byAddress.get(contactHost) ?? this.#byAddress.get(withoutPort(contactHost)));
    return byInstance ?? byAddress ?? null;
  }
}

/** URNs of instances are hexadecimal or numbers: their case carries nothing (RFC 8141 section 3.1, RFC 4122 section 3). */
function bare(instance: string): string {
  return instance.replaceAll(/[<>"]/g, '').toLowerCase();
}
