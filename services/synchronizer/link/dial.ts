import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { once } from 'node:events';
import type { Address } from '../../protocol/program-config.ts';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import { handshakeMs } from '../../protocol/link/limits.ts';
import type { SecureContext } from 'node:tls';
import { authenticate } from './authenticate.ts';
import type { Presented, TrustedPeer } from './authenticate.ts';

/** What TLS learned of the other end of `socket`. */
export function presentedBy(socket: TLSSocket): Presented {
  return {
    certificate: socket.getPeerX509Certificate(),
    objection: socket.authorized ? undefined : String(socket.authorizationError),
  };
}

/**
 * A TLS session with `peer`, whose certificate has been checked; nothing was sent on it yet.
 *
 * @throws LINK_UNREACHABLE, LINK_PEER_MISMATCH, TLS_CERTIFICATE_UNTRUSTED, TLS_CERTIFICATE_EXPIRED
 */
export async function dial(
  { host, port }: Address,
  peer: TrustedPeer,
  secureContext: SecureContext,
  signal: AbortSignal,
): Promise<TLSSocket> {
  // The certificate is checked below, by us, so that a refusal has a code; hosts are not what peers are known by.
  const socket = connect({
    host,
    port,
    secureContext,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  try {
    await once(socket, 'secureConnect', {
      signal: AbortSignal.any([signal, AbortSignal.timeout(handshakeMs)]),
    });
    authenticateServer(socket, peer);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    if (error instanceof DualhomeError) throw error;
    throw new DualhomeError('LINK_UNREACHABLE', {
      detail: `${host}:${port}: ${messageOf(error)}`,
      cause: error,
    });
  }
}

function authenticateServer(socket: TLSSocket, peer: TrustedPeer): void {
  try {
    authenticate(presentedBy(socket), [peer], Date.now());
  } catch (error) {
    if (!(error instanceof DualhomeError) || error.code !== 'LINK_PEER_UNKNOWN') throw error;
    throw new DualhomeError('LINK_PEER_MISMATCH', { detail: `expected ${peer.name}; ${error.detail}` });
  }
}
