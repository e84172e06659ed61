import { Gauge } from '../../platform/metrics/registry.ts';
import type { Registry } from '../../platform/metrics/registry.ts';
import type { Direction, LinkStatus, Status } from '../../protocol/status.ts';
import { Health } from '../../protocol/status.ts';

type Value = number | null;

const linkGauges: Readonly<Record<string, readonly [string, (link: LinkStatus) => Value]>> = {
  dualhome_link_up: ['1 while the link to the peer is up.', ({ state }) => (state === 'up' ? 1 : 0)],
  dualhome_link_heartbeat_age_seconds: [
    'Since the last heartbeat of the peer.',
    ({ heartbeatSecondsAgo }) => heartbeatSecondsAgo,
  ],
  dualhome_link_round_trip_seconds: [
    'Round trip of a heartbeat.',
    ({ roundTripMs }) => toSeconds(roundTripMs),
  ],
  dualhome_link_clock_offset_seconds: [
    'How far the clock of the peer is ahead.',
    ({ clockOffsetMs }) => toSeconds(clockOffsetMs),
  ],
};

const directionGauges: Readonly<Record<string, readonly [string, (direction: Direction) => Value]>> = {
  dualhome_replication_head_seq: ['Last event of the log.', ({ head }) => head?.seq ?? null],
  dualhome_replication_applied_seq: ['Last event applied at the copy.', ({ applied }) => applied],
  dualhome_replication_behind_events: ['Events not applied yet.', ({ eventsBehind }) => eventsBehind],
  dualhome_replication_behind_seconds: [
    'Since the copy first knew of the oldest event it has not applied.',
    ({ secondsBehind }) => secondsBehind,
  ],
  dualhome_replication_unsent_bytes: ['Bytes of events not sent yet.', ({ bytesUnsent }) => bytesUnsent],
  dualhome_replication_loss_changes: [
    'Changes lost if the site died now.',
    ({ loss }) => loss?.changes ?? null,
  ],
  dualhome_replication_ready: ['1 when the copy was proven equal.', ({ ready }) => (ready ? 1 : 0)],
  dualhome_replication_health: [
    `0 is good, the higher the worse: ${Object.values(Health).join(', ')}.`,
    ({ health }) => Object.values(Health).indexOf(health),
  ],
};

/** Shows the status as metrics, read whenever they are asked for; what is not known has no value. */
export function observeStatus(registry: Registry, current: () => Status): void {
  for (const [name, [help, valueOf]] of Object.entries(linkGauges)) {
    observe(registry, name, help, ['peer'], () =>
      current().peers.map(({ name: peer, link }) => [{ peer }, valueOf(link)]),
    );
  }
  for (const [name, [help, valueOf]] of Object.entries(directionGauges)) {
    observe(registry, name, help, ['log', 'from', 'to'], () =>
      current().peers.flatMap(({ directions }) =>
        directions.map((direction) => {
          const { log, from, to } = direction;
          return [{ log, from, to }, valueOf(direction)] as const;
        }),
      ),
    );
  }
}

type Sample = readonly [Readonly<Record<string, string>>, Value];

function observe(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  samples: () => readonly Sample[],
): void {
  const gauge = new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      gauge.reset();
      for (const [labels, value] of samples()) if (value !== null) gauge.set(labels, value);
    },
  });
}

function toSeconds(ms: Value): Value {
  return ms === null ? null : ms / 1_000;
}
