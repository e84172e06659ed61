import { parseArgs } from 'node:util';
import { DualhomeError } from '../protocol/errors/index.ts';
import { frontConfigSchema } from '../protocol/program-config.ts';
import type { FrontConfig } from '../protocol/program-config.ts';
import { readJsonFile } from '../platform/files/json.ts';
import { aborted } from '../platform/lifecycle/abort.ts';
import { runProgram } from '../platform/lifecycle/program.ts';
import { startFront } from './front.ts';

await runProgram({
  name: 'front',
  main: async (signal, stack, { log, ready }) => {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    const config = await readConfig(values.config);
    log.setBindings({ site: config.site });
    log.level = config.logLevel;
    const { fenced } = await startFront(config, { log, stack, signal });
    ready({ diagnostics: config.diagnostics });
    log.info('serving');
    await Promise.race([aborted(signal), fenced]);
  },
});

async function readConfig(path = ''): Promise<FrontConfig> {
  const config = await readJsonFile(path, frontConfigSchema);
  if (config) return config;
  throw new DualhomeError('FILES_UNREADABLE', {
    detail: `no configuration at --config ${path}`,
    facts: { path },
  });
}
