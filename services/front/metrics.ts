import { Counter, createRegistry, Gauge, Histogram } from '../platform/metrics/registry.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { GroupFacts } from '../log/group-writer.ts';

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
  gauge(name: string, help: string, read: () => number): void {
    void new Gauge({
      name: `dualhome_front_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
