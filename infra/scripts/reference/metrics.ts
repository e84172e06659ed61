import { createApiMetrics } from '../../../services/api/metrics.ts';
import { FrontMetrics } from '../../../services/front/metrics.ts';
import { createRegistry } from '../../../services/platform/metrics/registry.ts';
import type { Registry } from '../../../services/platform/metrics/registry.ts';
import { observeStatus } from '../../../services/synchronizer/status/metrics.ts';
import { markdownTable } from './markdown.ts';

const site = 'c1';

/** Every metric of each program's own `/metrics`, without the usual ones of a Node process. */
export function metricsReference(): string {
  const programs = [
    ['api', apiRegistry()],
    ['front', frontRegistry()],
    ['synchronizer', synchronizerRegistry()],
  ] as const;
  return [
    '# Metrics',
    'Each program serves its own metrics (Prometheus) at `/metrics` on 127.0.0.1, beside the usual ones of a Node process. The port of each is in `ports.json`, in the data directory of the site. Every metric bears the label `site`.',
    ...programs.map(([program, registry]) => `## ${program}\n\n${tableOf(registry)}`),
  ].join('\n\n');
}

function apiRegistry(): Registry {
  const metrics = createApiMetrics(site);
  metrics.observe(neverRead());
  return metrics.registry;
}

function frontRegistry(): Registry {
  const metrics = new FrontMetrics(site);
  metrics.observe(neverRead);
  return metrics.registry;
}

function synchronizerRegistry(): Registry {
  const registry = createRegistry({ site });
  observeStatus(registry, neverRead);
  return registry;
}

/** What metrics are read from when they are asked for, which happens only in the running program. */
function neverRead(): never {
  return undefined as never;
}

function tableOf(registry: Registry): string {
  const rows = registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('dualhome_'))
    .map(({ name, help, type }) => [`\`${name}\``, String(type), help.replace(/\.?$/, '.')]);
  return markdownTable(['metric', 'type', 'meaning'], rows);
}
