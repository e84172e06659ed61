import type { X509Certificate } from 'node:crypto';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { siteUri } from '../../protocol/site-uri.ts';
import { subjectUrisOf, verifyChain } from '../../platform/tls/inspect.ts';

/** A peer by its name and the authority that may speak for it. */
export type TrustedPeer = { readonly name: string; readonly authority: X509Certificate };

/** What TLS says of the other end. */
export type Presented = {
  readonly certificate: X509Certificate | undefined;
  /** Why OpenSSL does not trust it; undefined where it does. */
  readonly objection: string | undefined;
};

/**
 * The peer whose certificate this is: issued by that peer's own authority, for its name. Another
 * peer's authority, which TLS trusts as well, cannot speak for it. A refusal carries the fact
 * `claimed` where the certificate names a peer.
 *
 * @throws LINK_PEER_UNKNOWN, TLS_CERTIFICATE_UNTRUSTED, TLS_CERTIFICATE_EXPIRED
 */
export function authenticate(presented: Presented, peers: readonly TrustedPeer[], nowMs: number): string {
  const { certificate, objection } = presented;
  if (!certificate)
    throw new DualhomeError('TLS_CERTIFICATE_UNTRUSTED', { detail: 'no certificate was presented' });
  const uris = subjectUrisOf(certificate);
  const peer = peers.find(({ name }) => uris.includes(siteUri(name)));
  if (!peer) {
    throw new DualhomeError('LINK_PEER_UNKNOWN', {
      detail: `the certificate names ${uris.join(', ') || 'no site'}`,
    });
  }
  try {
    verifyChain(certificate, [peer.authority], nowMs);
  } catch (error) {
    if (!(error instanceof DualhomeError)) throw error;
    throw new DualhomeError(error.code, {
      detail: error.detail ?? `the certificate for ${peer.name} is not of the authority known as its own`,
      facts: { ...error.facts, claimed: peer.name },
    });
  }
  if (objection === undefined) return peer.name;
  throw new DualhomeError('TLS_CERTIFICATE_UNTRUSTED', { detail: objection, facts: { claimed: peer.name } });
}
