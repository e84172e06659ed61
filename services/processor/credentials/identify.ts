import type { CredentialFacts, Refused } from '../../protocol/dispatch/common.ts';
import type { DomainRow } from '../calls/configuration.ts';
import { aorOf } from '../configuration/domains.ts';
import type { Subscriber } from '../configuration/subscriber.ts';
import type { Authenticator, Challenge } from './authenticator.ts';

/** The subscriber proved who he is, or what to answer instead. */
export type Identity =
  | { readonly kind: 'accepted'; readonly subscriber: Subscriber }
  | { readonly kind: 'not-mine'; readonly challenge: Challenge | null }
  | Challenge
  | Refused;

/** This site cannot tell whether he is who he says; his other site may. */
const unreadable: Refused = { kind: 'refused', status: 503, reason: 'Service Unavailable' };

/**
 * Is the sender `user` of this domain? Only with the credentials of that very subscriber; for all else they are asked
 * for again, which shows nobody who exists.
 */
export function identify(
  user: string,
  domain: DomainRow,
  subscriber: Subscriber | undefined,
  credentials: CredentialFacts | null,
  authenticator: Authenticator,
): Identity {
  if (subscriber?.ha1 === 'unreadable') return unreadable;
  const claim = { realm: domain.realm, usernames: [user, aorOf(user, domain)], ha1: subscriber?.ha1 };
  const challenge = authenticator.challengeFor(claim, credentials);
  if (!subscriber) return { kind: 'not-mine', challenge: challenge ?? null };
  return challenge ?? { kind: 'accepted', subscriber };
}
