import { parseArgs } from 'node:util';
import { runProgram } from '../platform/lifecycle/program.ts';
import { readApiConfig } from './read-config.ts';
import { serveApi } from './serve.ts';

await runProgram({
  name: 'api',
  main: async (signal, stack, program) => {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    const config = await readApiConfig(values.config);
    program.log.setBindings({ site: config.site });
    program.log.level = config.logLevel;
    await serveApi(config, { signal, stack, program });
  },
});
