import { parseArgs } from 'node:util';
import { readJsonFile } from '../platform/files/json.ts';
import { aborted } from '../platform/lifecycle/abort.ts';
import { runProgram } from '../platform/lifecycle/program.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import { processorConfigSchema } from '../protocol/program-config.ts';
import type { ProcessorConfig } from '../protocol/program-config.ts';
import { startProcessor } from './processor.ts';

await runProgram({
  name: 'processor',
  main: async (signal, stack, { log, ready }) => {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    const config = await readConfig(values.config);
    log.setBindings({ site: config.site, role: config.role, owner: config.owner });
    log.level = config.logLevel;
    await startProcessor(config, { log, stack });
    ready({ diagnostics: config.diagnostics, socket: config.socket });
    log.info({ socket: config.socket }, 'listening');
    await aborted(signal);
  },
});

async function readConfig(path = ''): Promise<ProcessorConfig> {
  const config = await readJsonFile(path, processorConfigSchema);
  if (config) return config;
  throw new DualhomeError('FILES_UNREADABLE', {
    detail: `no configuration at --config ${path}`,
    facts: { path },
  });
}
