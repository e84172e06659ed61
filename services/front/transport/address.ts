import { isIPv6 } from 'node:net';

const mapped = '::ffff:';

/** An address without the form that an IPv4 one has on an IPv6 socket. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith(mapped) && address.includes('.') ? address.slice(mapped.length) : address;
}

/** The address as a socket of the family can be given it. */
export function addressFor(family: 'udp4' | 'udp6', address: string): string {
  return family === 'udp6' && !isIPv6(address) ? `${mapped}${address}` : address;
}
