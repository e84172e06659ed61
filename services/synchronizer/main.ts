import { parseArgs } from 'node:util';
import { DualhomeError } from '../protocol/errors/index.ts';
import { synchronizerConfigSchema } from '../protocol/program-config.ts';
import type { SynchronizerConfig } from '../protocol/program-config.ts';
import { readJsonFile } from '../platform/files/json.ts';
import { aborted } from '../platform/lifecycle/abort.ts';
import { runProgram } from '../platform/lifecycle/program.ts';
import { startDiagnosticsServer } from '../platform/metrics/diagnostics-server.ts';
import { createSynchronizer } from './synchronizer.ts';
import { startWork } from './work.ts';

await runProgram({
  name: 'synchronizer',
  main: async (signal, stack, { log, ready }) => {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    const config = await readConfig(values.config);
    log.setBindings({ site: config.site });
    log.level = config.logLevel;
    const { context, status, start } = await createSynchronizer(config, { log, stack });
    const { preview } = await startWork(context, { stack, status: () => status.current() });
    await start();
    const { registry } = context;
    const pages = { '/status': () => status.current(), '/preview': preview };
    const { host, port } = config.diagnostics;
    const health = () => status.health();
    stack.use('diagnostics', await startDiagnosticsServer({ host, port, registry, health, pages }));
    ready({ diagnostics: config.diagnostics, link: config.link });
    log.info('serving');
    await aborted(signal);
  },
});

async function readConfig(path = ''): Promise<SynchronizerConfig> {
  const config = await readJsonFile(path, synchronizerConfigSchema);
  if (config) return config;
  throw new DualhomeError('FILES_UNREADABLE', {
    detail: `no configuration at --config ${path}`,
    facts: { path },
  });
}
