import { Counter, createRegistry, Gauge, Histogram } from '../platform/metrics/registry.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { GroupFacts } from '../log/group-writer.ts';
import type { ConfigurationLog } from './change/configuration-log.ts';

export type ApiMetrics = {
  readonly registry: Registry;
  readonly onGroup: (facts: GroupFacts) => void;
  /** Shows the state of the log whenever it is asked for. */
  readonly observe: (homeLog: ConfigurationLog) => void;
};

/** What the api tells Prometheus beside the usual things about its process. */
export function createApiMetrics(site: string): ApiMetrics {
  const registry = createRegistry({ program: 'api', site });
  const registers = [registry];
  const changes = new Counter({
    name: 'dualhome_changes_total',
    help: 'Events appended to the configuration log',
    registers,
  });
  const bytes = new Counter({
    name: 'dualhome_change_bytes_total',
    help: 'Bytes of events appended to the configuration log',
    registers,
  });
  const groupEvents = new Histogram({
    name: 'dualhome_group_events',
    help: 'Events of one transaction',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    registers,
  });
  const commitSeconds = new Histogram({
    name: 'dualhome_commit_seconds',
    help: 'From sending a transaction to its COMMIT',
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  return {
    registry,
    onGroup: (facts) => {
      changes.inc(facts.events);
      bytes.inc(facts.bytes);
      groupEvents.observe(facts.events);
      commitSeconds.observe(facts.commitMs / 1000);
    },
    observe: (homeLog) => {
      gauge('dualhome_changes_queued', 'Changes that are not answered yet', registry, () => homeLog.queued);
      gauge('dualhome_log_open', '1 while the configuration can be changed', registry, () =>
        Number(homeLog.state.open),
      );
      gauge('dualhome_log_seq', 'Last event of the configuration log', registry, () =>
        homeLog.state.open ? homeLog.state.head.seq : Number.NaN,
      );
    },
  };
}

function gauge(name: string, help: string, registry: Registry, read: () => number): void {
  const metric = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read());
    },
  });
  registry.registerMetric(metric);
}
