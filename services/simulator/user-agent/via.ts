import { randomBytes } from 'node:crypto';
import { magicCookie } from '../../sip/message/via.ts';
import type { Endpoint } from '../../sip/transport/received.ts';

/** A Via of one's own with a branch that was never used. */
export function newVia(from: Endpoint): string {
  return `SIP/2.0/UDP ${hostPort(from)};rport;branch=${magicCookie}${randomBytes(9).toString('base64url')}`;
}

/** As it stands in a URI or Via. */
export function hostPort({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
