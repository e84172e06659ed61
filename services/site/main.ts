import { parseArgs } from 'node:util';
import { runProgram } from '../platform/lifecycle/program.ts';
import { runSite, stopSiteWithinMs } from './run.ts';

const { values } = parseArgs({ options: { config: { type: 'string', default: 'site.yaml' } } });

await runProgram({
  name: 'site',
  stopWithinMs: stopSiteWithinMs,
  main: (signal, stack, program) => runSite(values.config, signal, stack, program),
});
