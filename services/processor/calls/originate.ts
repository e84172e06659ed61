import type { Caller, Dialled, OriginateDecision, OriginateFacts } from '../../protocol/dispatch/call.ts';
import type { CredentialFacts, Party } from '../../protocol/dispatch/common.ts';
import type { CallConfiguration, DomainRow, SubscriberRow } from './configuration.ts';
import { subscriberOf } from './configuration.ts';
import { calleeOf, destinationOf, subscriberDialler, thirdPartyDialler } from './destination.ts';
import type { Dialler } from './destination.ts';
import { thirdPartyAt } from './neighbour.ts';

/** Judges credentials for a domain: the subscriber who gave them, or what to answer instead. */
export type Authenticate = (
  credentials: CredentialFacts | null,
  domain: DomainRow,
  user: string,
) => Promise<{ readonly kind: 'accepted'; readonly row: SubscriberRow } | OriginateDecision>;

/** May this be called by whom it says, and where does it lead? The caller's half of a call's dispatch. */
export async function originate(
  facts: OriginateFacts,
  configuration: CallConfiguration,
  authenticate: Authenticate,
): Promise<OriginateDecision> {
  const { credentials, isRehearsal, called, from } = facts;
  const domain = domainOf(facts, configuration);
  const isSubscriber = isRehearsal || (credentials !== null && credentials.realm === domain?.realm);
  const site = isSubscriber ? undefined : thirdPartyAt(facts, configuration.thirdParties);
  if (site) {
    const caller = { kind: 'third-party', name: site.name } as const;
    return admitted(
      `the request comes from third-party site ${site.name}`,
      caller,
      called,
      thirdPartyDialler,
      configuration,
    );
  }
  if (!domain) return { kind: 'not-mine', challenge: null };
  const proof = isRehearsal
    ? await named(from, domain, configuration)
    : await authenticate(credentials, domain, credentials?.username ?? from.user);
  if (proof.kind !== 'accepted') return proof;
  const { row } = proof;
  if (!(await isHimself(facts, row, configuration))) {
    return { kind: 'refused', status: 403, reason: 'From is not the authenticated subscriber' };
  }
  const caller: Caller = { kind: 'subscriber', aor: row.aor, displayName: row.display_name };
  return admitted(
    `${row.aor} is a subscriber of ${configuration.owner}`,
    caller,
    called,
    subscriberDialler(row),
    configuration,
  );
}

function admitted(
  who: string,
  caller: Caller,
  called: Dialled,
  dialler: Dialler,
  configuration: CallConfiguration,
): OriginateDecision {
  const { destination, steps } = destinationOf(called, dialler, configuration);
  return { kind: 'admitted', owner: configuration.owner, caller, destination, steps: [who, ...steps] };
}

/** The domain the caller belongs to; of an anonymous one (RFC 3323 section 4.1.1.3) the credentials tell. */
function domainOf(
  { from, credentials }: OriginateFacts,
  { domainAt }: CallConfiguration,
): DomainRow | undefined {
  if (!isAnonymous(from)) return domainAt(from.host);
  const host = credentials?.username.split('@')[1] ?? credentials?.realm;
  return host === undefined ? undefined : domainAt(host);
}

async function named(
  from: Party,
  domain: DomainRow,
  { subscriber }: CallConfiguration,
): ReturnType<Authenticate> {
  const row = await subscriber(`${from.user}@${domain.name}`);
  return row ? { kind: 'accepted', row } : { kind: 'not-mine', challenge: null };
}

/** From and the asserted identities must lead to the subscriber himself, by name or by one of his numbers. */
async function isHimself(
  { from, asserted }: OriginateFacts,
  row: SubscriberRow,
  configuration: CallConfiguration,
): Promise<boolean> {
  const claims: Dialled[] = isAnonymous(from) ? [...asserted] : [{ ...from, isHere: false }, ...asserted];
  for (const claim of claims) {
    const callee = calleeOf(claim, subscriberDialler(row), configuration);
    if ((await subscriberOf(callee, configuration))?.aor !== row.aor) return false;
  }
  return true;
}

function isAnonymous({ host }: Party): boolean {
  return host === 'anonymous.invalid';
}
