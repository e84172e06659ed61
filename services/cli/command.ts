import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { addAlarmsVerb } from './commands/alarms.ts';
import { addCallsVerbs } from './commands/calls.ts';
import { addConfigVerbs } from './commands/config.ts';
import { addDemoVerb } from './commands/demo.ts';
import { addDistributionVerbs } from './commands/distribution.ts';
import { addDeviceVerbs } from './commands/devices.ts';
import { addDispatchVerbs } from './commands/dispatch.ts';
import { addSiteVerbs } from './commands/site.ts';
import { addJobVerbs } from './commands/jobs.ts';
import { addLogVerbs } from './commands/log.ts';
import { addPairVerbs } from './commands/pair.ts';
import { addStatusVerb } from './commands/status.ts';
import { addTransferVerbs } from './commands/transfer.ts';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8')) as {
  readonly version: string;
};

const exitCodesHelp = `
Exit codes: 0 done, 1 failed, 2 refused (input or state forbids it), 3 unreachable.

Which site: -c FILE (default ./site.yaml); or DUALHOME_API=URL with DUALHOME_TOKEN=TOKEN.`;

/** The whole `dualhome` command. It throws CommanderError instead of ending the process. */
export function createCommand(): Command {
  const command = new Command('dualhome')
    .description('Geographic disaster recovery for SIP call-control sites')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for what it takes)')
    .addHelpText('after', exitCodesHelp);
  addSiteVerbs(command);
  addPairVerbs(command);
  addConfigVerbs(command);
  addStatusVerb(command);
  addTransferVerbs(command);
  addJobVerbs(command);
  addLogVerbs(command);
  addDistributionVerbs(command);
  addAlarmsVerb(command);
  addDispatchVerbs(command);
  addCallsVerbs(command);
  addDeviceVerbs(command);
  addDemoVerb(command);
  return command;
}
