import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { runProgram } from '../../platform/lifecycle/program.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { authorityFingerprint } from '../../site/certificates.ts';
import { checkSite } from '../../site/check/check.ts';
import { describeFault, readSiteFile } from '../../site/config/read.ts';
import { initSite } from '../../site/init.ts';
import { siteLayout } from '../../site/layout.ts';
import { prepareSite } from '../../site/prepare.ts';
import { runSite, stopSiteWithinMs } from '../../site/run.ts';
import { stopSite } from '../../site/stop.ts';
import { readSiteState } from '../../site/supervisor/state-file.ts';
import type { SiteState } from '../../site/supervisor/state-file.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatDuration, formatTime } from '../output/format.ts';
import { formatFacts, formatTable } from '../output/table.ts';
import type { Output } from '../output/output.ts';
import { addVerb } from '../verb.ts';
import { addRebuildVerbs } from './site-rebuild.ts';

type InitOptions = {
  readonly dir: string | undefined;
  readonly publicHost: string;
  readonly listen: string;
  readonly firstPort: number;
  readonly sipPort: number;
};

/** `dualhome site …`: one site on this machine. */
export function addSiteVerbs(parent: Command): void {
  const site = parent.command('site').description('Make, check, start and stop a site on this machine');
  addInit(site);
  addRebuildVerbs(site);
  addVerb(site, {
    name: 'check',
    description: 'Say everything that would keep the site from starting, by line and key',
    examples: ['site check', 'site check -c /var/lib/dualhome/c1/site.yaml --json'],
    run: async (out, { config }) => {
      const faults = await checkSite(config);
      const text = faults.map(describeFault).join('\n');
      out.result({ ok: faults.length === 0, faults }, () => (text === '' ? `${config} holds` : text));
      if (faults.length > 0) process.exitCode = exitCodes.refused;
    },
  });
  addVerb(site, {
    name: 'prepare',
    description: 'Make databases, schema and roles, and write the configuration files of the programs',
    examples: ['site prepare'],
    run: async (out, { config }) => {
      const prepared = await prepareSite(config, createLogger({ program: 'site' }));
      out.result(prepared, () => `Prepared: ${prepared.databases.join(', ')}`);
    },
  });
  addVerb(site, {
    name: 'start',
    description: 'Start everything of the site and watch over it until Ctrl-C',
    examples: ['site start', 'site start -c /var/lib/dualhome/c1/site.yaml'],
    run: (_out, { config }) =>
      runProgram({
        name: 'site',
        stopWithinMs: stopSiteWithinMs,
        main: (signal, stack, program) => runSite(config, signal, stack, program),
      }),
  });
  addVerb(site, {
    name: 'stop',
    description: 'Stop a running site in order: api, front, processors, synchronizer, databases',
    examples: ['site stop'],
    run: async (out, { config }) => {
      const stopped = await stopSite(siteLayout((await readSiteFile(config)).dataDir));
      out.result(stopped, () => `Stopped after ${formatDuration(stopped.ms)}`);
    },
  });
  addVerb(site, {
    name: 'status',
    description: 'What runs of the site on this machine',
    examples: ['site status'],
    run: async (out, { config }) => {
      const { dataDir } = await readSiteFile(config);
      const state = await readSiteState(siteLayout(dataDir));
      if (!state) throw new DualhomeError('SITE_NOT_RUNNING', { detail: dataDir });
      out.result(state, () => renderState(out, state));
      if (!isWell(state)) process.exitCode = exitCodes.failed;
    },
  });
}

function addInit(site: Command): void {
  addVerb<InitOptions, [name: string]>(site, {
    name: 'init',
    description: 'Make a new site: commented site.yaml, certificates, keys, API tokens',
    examples: [
      'site init c1 --public-host c1.example.net',
      'site init c2 --dir /srv/c2 --public-host 192.0.2.2 --first-port 7500',
    ],
    define: (command) =>
      command
        .argument('<name>', 'its name: a lower-case letter, then letters, digits, hyphens')
        .option('--dir <directory>', 'where site.yaml and data go; the name, unless given')
        .option(
          '--public-host <host>',
          'host name or address under which peers reach this machine',
          '127.0.0.1',
        )
        .option('--listen <address>', 'address on which the ports for peers listen', '0.0.0.0')
        .option('--first-port <port>', 'first of the 64 ports the site takes', Number, 7_400)
        .option('--sip-port <port>', 'SIP over UDP and TCP; the next one is that of TLS', Number, 5_060),
    run: async (out, { dir, publicHost, listen, firstPort, sipPort }, name) => {
      const directory = resolve(dir ?? name);
      const listenHost = listen;
      const file = await initSite(directory, { site: name, publicHost, listenHost, firstPort, sipPort });
      const layout = siteLayout(file.dataDir);
      const fingerprint = await authorityFingerprint(layout);
      const value = {
        site: name,
        config: file.path,
        dataDir: file.dataDir,
        authorityFingerprint: fingerprint,
      };
      out.result(value, () =>
        [
          formatFacts([
            ['Site', name],
            ['Configuration', file.path],
            ['Data', file.dataDir],
            ['Admin token', layout.secrets.token('admin')],
            ['Authority', fingerprint],
          ]),
          '',
          'Keep a copy of the secrets and certificates elsewhere: without them the data cannot be used.',
          `Next: dualhome site start -c ${existsSync('site.yaml') ? file.path : relativeOf(file.path)}`,
        ].join('\n'),
      );
    },
  });
}

function relativeOf(path: string): string {
  const here = `${process.cwd()}/`;
  return path.startsWith(here) ? path.slice(here.length) : path;
}

function isWell({ ready, units, problem }: SiteState): boolean {
  return ready && problem === undefined && units.every(({ state }) => state === 'running');
}

function renderState(out: Output, { site, pid, startedAt, problem, units }: SiteState): string {
  const rows = units.map(({ name, state, pid: unitPid, since, restarts, lastEnd }) => [
    name,
    out.style(state === 'running' ? 'green' : 'yellow', state),
    unitPid === undefined ? '' : String(unitPid),
    formatTime(since),
    String(restarts),
    lastEnd ?? '',
  ]);
  const heads = [
    { head: 'UNIT' },
    { head: 'STATE' },
    { head: 'PROCESS', right: true },
    { head: 'SINCE' },
    { head: 'RESTARTS', right: true },
    { head: 'LAST END' },
  ];
  return [
    `Site ${site}, process ${pid}, since ${formatTime(startedAt)}`,
    ...(problem === undefined ? [] : [out.style('yellow', `site.yaml is not in effect: ${problem}`)]),
    '',
    formatTable(heads, rows),
  ].join('\n');
}
