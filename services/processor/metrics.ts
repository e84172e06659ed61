import { Counter, createRegistry, Gauge } from '../platform/metrics/registry.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { Decision, Facts } from '../protocol/dispatch/messages.ts';

export type ProcessorMetrics = {
  readonly registry: Registry;
  readonly onDecision: (facts: Facts, decision: Decision) => void;
  /** Shows this whenever it is asked for. */
  readonly observe: (name: 'serving' | 'fronts' | 'subscribers_cached', read: () => number) => void;
};

const help = {
  serving: '1 while it serves',
  fronts: 'Fronts connected',
  subscribers_cached: 'Subscribers in memory',
} as const;

/** What a processor tells Prometheus beside the usual things about its process. */
export function createProcessorMetrics(site: string, role: string, owner: string): ProcessorMetrics {
  const registry = createRegistry({ program: 'processor', site, role, owner });
  const registers = [registry];
  const decisions = new Counter({
    name: 'dualhome_decisions_total',
    help: 'Questions of the front, by what was decided',
    labelNames: ['question', 'decision'],
    registers,
  });
  return {
    registry,
    onDecision: (facts, decision) => decisions.inc({ question: facts.kind, decision: decision.kind }),
    observe: (name, read) => {
      void new Gauge({
        name: `dualhome_processor_${name}`,
        help: help[name],
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
}
