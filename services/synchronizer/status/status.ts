import { Health } from '../../protocol/status.ts';
import type { Direction, LinkStatus, Status } from '../../protocol/status.ts';
import type { LinkFacts } from '../link/peer-link.ts';
import type { OpenAlarm } from '../store/alarms.ts';
import { troubleOf } from './direction.ts';

export type StatusFacts = {
  readonly site: string;
  readonly software: string;
  readonly nowMs: number;
  readonly peers: readonly {
    readonly name: string;
    readonly link: LinkFacts;
    readonly directions: readonly Direction[];
  }[];
  readonly alarms: readonly OpenAlarm[] | null;
  readonly plainFtp: boolean;
};

/** Clocks further apart make times in the logs of two sites hard to compare. */
const clockOffsetMaxMs = 500;

/** The whole status, as it is served. */
export function statusOf({ site, software, nowMs, peers, alarms, plainFtp }: StatusFacts): Status {
  const healths = peers.flatMap(({ directions }) => directions.map(({ health }) => health));
  const halted: readonly Health[] = alarms?.length ? ['halted'] : [];
  return {
    site,
    software,
    at: new Date(nowMs).toISOString(),
    health: worstOf([...healths, ...halted]),
    peers: peers.map(({ name, link, directions }) => ({
      name,
      link: linkStatusOf(link),
      directions: [...directions],
    })),
    alarms:
      alarms?.map(({ code, subject, detail, raisedAt }) => ({
        ...troubleOf(code, detail),
        subject,
        raisedAt: raisedAt.toISOString(),
      })) ?? null,
    warnings: [
      ...(plainFtp ? ['Snapshot files travel over plain FTP: neither encrypted nor authenticated.'] : []),
      ...peers.flatMap(clockWarning),
    ],
  };
}

const order = Object.values(Health);

/** The worst of them; `ok` of none. */
export function worstOf(healths: readonly Health[]): Health {
  return healths.reduce<Health>(
    (worst, each) => (order.indexOf(each) > order.indexOf(worst) ? each : worst),
    'ok',
  );
}

function linkStatusOf(link: LinkFacts): LinkStatus {
  const { phase, sinceMs, failure, version, software, clocks, heartbeatAgeMs } = link;
  const unsupported = phase === 'up' && version === undefined;
  const shown = phase !== 'up' && failure ? troubleOf(failure.code, failure.detail) : null;
  return {
    state: phase,
    since: new Date(sinceMs).toISOString(),
    trouble: unsupported ? troubleOf('LINK_PROTOCOL_UNSUPPORTED', '') : shown,
    heartbeatSecondsAgo: heartbeatAgeMs === undefined ? null : Math.round(heartbeatAgeMs) / 1_000,
    roundTripMs: clocks?.roundTripMs ?? null,
    clockOffsetMs: clocks?.clockOffsetMs ?? null,
    protocol: version ?? null,
    software: software ?? null,
  };
}

function clockWarning({ name, link }: StatusFacts['peers'][number]): readonly string[] {
  const offsetMs = link.clocks?.clockOffsetMs ?? 0;
  if (Math.abs(offsetMs) <= clockOffsetMaxMs) return [];
  const seconds = (Math.abs(offsetMs) / 1_000).toFixed(1);
  return [`The clock of ${name} is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} this site's.`];
}
