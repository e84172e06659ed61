import { unwatchFile, watchFile } from 'node:fs';
import { aborted } from '../platform/lifecycle/abort.ts';
import type { Program } from '../platform/lifecycle/program.ts';
import type { ResourceStack } from '../platform/lifecycle/resource-stack.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import { checkSite, refuseFaults } from './check/check.ts';
import { claimSite } from './claim.ts';
import { readSiteFile } from './config/read.ts';
import type { SiteFile } from './config/read.ts';
import { makeDirectories } from './init.ts';
import { siteLayout } from './layout.ts';
import { stopLeftOvers } from './supervisor/program-process.ts';
import { Supervisor } from './supervisor/supervisor.ts';

/** From the wish to stop: each program has its own limit, the databases theirs. */
export const stopSiteWithinMs = 60_000;

const configPollMs = 500;
const renewalCheckMs = 3_600_000;

/**
 * The life of a site on this machine: checks it, starts everything, watches it and takes up changes of site.yaml,
 * until the signal aborts; then stops everything in order.
 *
 * @throws SITE_CONFIG_INVALID, SITE_CHECK_FAILED, SITE_RUNNING, and what databases throw that cannot start
 */
export async function runSite(
  path: string,
  signal: AbortSignal,
  stack: ResourceStack,
  { log, ready }: Pick<Program, 'log' | 'ready'>,
): Promise<void> {
  const file = await readSiteFile(path);
  log.setBindings({ site: file.config.site });
  const layout = siteLayout(file.dataDir);
  await makeDirectories(layout);
  stack.use('claim', claimSite(file.dataDir));
  await stopLeftOvers(layout);
  refuseFaults(await checkSite(path));

  const supervisor = stack.use('supervisor', new Supervisor(file, log));
  const stopped = aborted(signal).then(() => 'stopped' as const);
  if ((await Promise.race([supervisor.apply(file), stopped])) === 'stopped') return;
  const waiting = supervisor.state.units.filter(({ state }) => state !== 'running').map(({ name }) => name);
  ready({ waiting });
  if (waiting.length === 0) log.info('the site runs');
  else log.warn({ waiting }, 'the site runs in part');

  stack.defer('configuration watch', watchConfig(file, supervisor, log));
  const renewal = setInterval(() => {
    supervisor.renewCertificate().catch((error: unknown) => log.error({ err: error }, 'no new certificate'));
  }, renewalCheckMs);
  stack.defer('renewal', () => clearInterval(renewal));
  await stopped;
}

/** Applies each new content of site.yaml; one that is not valid changes nothing and is reported. */
function watchConfig(file: SiteFile, supervisor: Supervisor, log: Program['log']): () => void {
  const onChange = (): void => {
    applyChange(file, supervisor).then(
      () => log.info('site.yaml was taken up'),
      (error: unknown) => {
        log.error({ err: error }, 'site.yaml was not taken up');
        supervisor.report(error);
      },
    );
  };
  watchFile(file.path, { interval: configPollMs }, onChange);
  return () => unwatchFile(file.path, onChange);
}

async function applyChange(before: SiteFile, supervisor: Supervisor): Promise<void> {
  const file = await readSiteFile(before.path);
  if (file.config.site !== before.config.site || file.dataDir !== before.dataDir) {
    throw new DualhomeError('SITE_CONFIG_INVALID', {
      detail: 'site and data_dir cannot be changed; make a new site with `dualhome site init`',
    });
  }
  refuseFaults(await checkSite(before.path));
  await supervisor.apply(file);
}
