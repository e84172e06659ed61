import type { Destination, Dialled, LocateDecision, LocateFacts } from '../../protocol/dispatch/call.ts';
import { parseSipUri } from '../../sip/message/uri.ts';
import type { CallConfiguration, SubscriberRow } from './configuration.ts';
import { subscriberOf } from './configuration.ts';
import { destinationOf, subscriberDialler } from './destination.ts';

const defaultNoAnswerSeconds = 20;

/** Whose number is it, and what is done with his calls? The callee's half of a call's dispatch. */
export async function locate(
  { callee }: LocateFacts,
  configuration: CallConfiguration,
): Promise<LocateDecision> {
  const row = await subscriberOf(callee, configuration);
  if (!row) return { kind: 'not-mine', challenge: null };
  const { owner } = configuration;
  return {
    kind: 'found',
    owner,
    aor: row.aor,
    displayName: row.display_name,
    homeSite: row.home_site,
    backupSite: row.backup_site,
    forwarding: {
      always: forwardTo(row.forward_always, row, configuration),
      busy: forwardTo(row.forward_busy, row, configuration),
      noAnswer: forwardTo(row.forward_no_answer, row, configuration),
      noAnswerSeconds: row.forward_no_answer_seconds ?? defaultNoAnswerSeconds,
      unreachable: forwardTo(row.forward_unreachable, row, configuration),
    },
    steps: [
      `${callee.address ?? callee.number} is ${row.aor}, a subscriber of ${owner}`,
      ...forwardingInWords(row),
    ],
  };
}

/** Where a forwarding leads, dialled by the forwarder: in his area, with his class of service. */
function forwardTo(
  to: string | null,
  row: SubscriberRow,
  configuration: CallConfiguration,
): Destination | null {
  if (to === null) return null;
  return destinationOf(asDialled(to), subscriberDialler(row), configuration).destination;
}

function asDialled(to: string): Dialled {
  const uri = parseSipUri(to);
  if (!uri) return { user: to, host: null, isHere: false };
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  return { user: uri.user ?? '', host: `${uri.host.toLowerCase()}${port}`, isHere: false };
}

function forwardingInWords(row: SubscriberRow): string[] {
  const seconds = row.forward_no_answer_seconds ?? defaultNoAnswerSeconds;
  const all = [
    ['every call', row.forward_always],
    ['a call while busy', row.forward_busy],
    [`a call not answered in ${seconds} s`, row.forward_no_answer],
    ['a call while no device is reached', row.forward_unreachable],
  ] as const;
  return all.flatMap(([which, to]) => (to === null ? [] : [`${which} is forwarded to ${to}`]));
}
