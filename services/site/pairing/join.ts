import { X509Certificate } from 'node:crypto';
import type { z } from 'zod';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import { HttpClient } from '../../platform/http/client.ts';
import type { SiteFile } from '../config/read.ts';
import { confirmedSchema, joinedSchema, paths } from './exchange.ts';
import { ownOffer } from './offer.ts';
import { mirrored, recordPeer } from './peers.ts';
import type { Direction } from './peers.ts';
import { decodeToken } from './token.ts';

export type Joined = { readonly peer: string; readonly direction: Direction };

/**
 * Follows an invitation: proves by its secret that we were invited, learns by its authority that the one who answers is
 * who invited, exchanges what peers know of each other, and records the peer here. It may be repeated while the
 * invitation waits.
 *
 * @throws PAIRING_TOKEN_INVALID, PAIRING_EXPIRED, PAIRING_UNREACHABLE, PAIRING_IMPOSTOR, PAIRING_REFUSED
 */
export async function joinInvitation(file: SiteFile, token: string): Promise<Joined> {
  const invitation = decodeToken(token);
  if (invitation.expiresMs < Date.now()) throw new DualhomeError('PAIRING_EXPIRED');
  using client = new HttpClient({
    baseUrl: `https://${invitation.at}`,
    token: invitation.secret,
    authoritiesPem: [new X509Certificate(invitation.authority).toString()],
  });
  const body = { offer: await ownOffer(file) };
  const { offer } = await ask(client, paths.join, body, joinedSchema);
  if (offer.site !== invitation.site) throw new DualhomeError('PAIRING_IMPOSTOR', { detail: offer.site });
  const direction = mirrored(invitation);
  await recordPeer(file, offer, direction);
  await ask(client, paths.confirm, body, confirmedSchema);
  return { peer: offer.site, direction };
}

async function ask<T>(client: HttpClient, path: string, body: unknown, answer: z.ZodType<T>): Promise<T> {
  try {
    return await client.request('POST', path, { body, answer });
  } catch (cause) {
    if (isDualhomeError(cause, 'API_UNREACHABLE') || isDualhomeError(cause, 'API_TIMEOUT')) {
      throw new DualhomeError('PAIRING_UNREACHABLE', { detail: cause.detail, cause });
    }
    if (isDualhomeError(cause, 'TLS_CERTIFICATE_UNTRUSTED')) {
      throw new DualhomeError('PAIRING_IMPOSTOR', { detail: cause.detail, cause });
    }
    if (isDualhomeError(cause, 'API_UNAUTHENTICATED')) throw new DualhomeError('PAIRING_EXPIRED', { cause });
    throw cause;
  }
}
