import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { siteUri } from '../../protocol/site-uri.ts';
import { fingerprintOf, subjectUrisOf, verifyChain } from '../../platform/tls/inspect.ts';

/** A peer site by its name and the authority that may speak for it. */
export type TrustedPeer = { readonly name: string; readonly authority: X509Certificate };

/**
 * Who the other end of a TLS connection has proven to be: a peer's front, or the holder of the key of the certificate
 * with this SHA-256 (hexadecimal).
 */
export type Identity = { readonly peer: string | undefined; readonly fingerprint: string };

/** Whom a connection is opened to; where neither is named, whoever answers. */
export type Expected = { readonly peer?: string | undefined; readonly fingerprint?: string | undefined };

export function isExpected(identity: Identity | undefined, { peer, fingerprint }: Expected): boolean {
  return (
    (peer === undefined || identity?.peer === peer) &&
    (fingerprint === undefined || identity?.fingerprint === fingerprint)
  );
}

export function identityOf(
  socket: TLSSocket,
  peers: readonly TrustedPeer[],
  nowMs: number,
): Identity | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  return {
    peer: peerOf(certificate, peers, nowMs),
    fingerprint: fingerprintOf(certificate).replaceAll(':', '').toLowerCase(),
  };
}

/** The peer whose certificate this is: issued by that peer's own authority, for its name, and valid now. */
function peerOf(
  certificate: X509Certificate,
  peers: readonly TrustedPeer[],
  nowMs: number,
): string | undefined {
  try {
    const uris = subjectUrisOf(certificate);
    const peer = peers.find(({ name }) => uris.includes(siteUri(name)));
    if (peer) verifyChain(certificate, [peer.authority], nowMs);
    return peer?.name;
  } catch {
    return undefined;
  }
}
