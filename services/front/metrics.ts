import { Counter, createRegistry, Gauge, Histogram } from '../platform/metrics/registry.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { GroupFacts } from '../log/group-writer.ts';

const gauges = {
  flows: 'Flows that this site has accepted',
  peer_flows: 'Flows that peers have accepted',
  registrations_queued: 'Changes of flows that are not durable yet',
  log_open: '1 while registrations can be recorded',
  connections: 'TCP and TLS connections',
  transactions: 'SIP transactions',
  refused_messages: 'Messages not read since the start, of sources that proved nothing',
  overloads: 'Requests turned away since the start for lack of room',
} as const;

export type FrontFigures = Readonly<Record<keyof typeof gauges, number>>;

/** What a front tells Prometheus beside the usual things about its process. */
export class FrontMetrics {
  readonly registry: Registry;
  readonly #events: Counter;
  readonly #commits: Histogram;

  constructor(site: string) {
    this.registry = createRegistry({ program: 'front', site });
    const registers = [this.registry];
    this.#events = new Counter({
      name: 'dualhome_registration_events_total',
      help: 'Events appended to the registration log',
      registers,
    });
    this.#commits = new Histogram({
      name: 'dualhome_registration_commit_seconds',
      help: 'How long a group of registrations took to be durable',
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers,
    });
  }

  onGroup({ events, commitMs }: GroupFacts): void {
    this.#events.inc(events);
    this.#commits.observe(commitMs / 1_000);
  }

  /** Shows what `read` gives whenever it is asked for. */
  observe(read: () => FrontFigures): void {
    const names = Object.keys(gauges) as (keyof FrontFigures)[];
    for (const name of names) {
      void new Gauge({
        name: `dualhome_front_${name}`,
        help: gauges[name],
        registers: [this.registry],
        collect() {
          this.set(read()[name]);
        },
      });
    }
  }
}
