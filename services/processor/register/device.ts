import { withoutPort } from '../configuration/domains.ts';

/** A configured access device of an address of record. */
export type Device = {
  readonly name: string;
  readonly instance: string | null;
  readonly address: string | null;
};

/**
 * The access device a registration comes from: by its instance (RFC 5626 section 4.1), else, of those configured without
 * one, by the host of its contact.
 */
export function recogniseDevice(
  devices: readonly Device[],
  instance: string | null,
  contactHost: string | null,
): string | null {
  const byInstance = instance === null ? undefined : devices.find((device) => isSame(device, instance));
  const byAddress = (): Device | undefined =>
    contactHost === null
      ? undefined
      : devices.find(
          (device) =>
            device.instance === null &&
            (device.address === contactHost || device.address === withoutPort(contactHost)),
        );
  return (byInstance ?? byAddress())?.name ?? null;
}

/** URNs of instances are hexadecimal or numbers: their case carries nothing (RFC 8141 section 3.1, RFC 4122 section 3). */
function isSame({ instance }: Device, seen: string): boolean {
  return instance !== null && bare(instance) === bare(seen);
}

function bare(instance: string): string {
  return instance.replaceAll(/[<>"]/g, '').toLowerCase();
}
