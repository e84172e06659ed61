import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Endpoint } from '../../sip/transport/received.ts';
import { advertisedAddress } from '../../site/config/sip.ts';
import type { HttpClient } from '../../platform/http/client.ts';
import { readSiteFile } from '../../site/config/read.ts';
import type { SiteFile } from '../../site/config/read.ts';
import { siteLayout } from '../../site/layout.ts';
import type { SiteLayout } from '../../site/layout.ts';
import { openApi } from '../connection.ts';
import { killSite } from './kill-site.ts';

const tailLines = 5;

const readySchema = z.object({ type: z.literal('ready') });

/** One site of the tour: its supervisor as a process of ours, which stops by itself should we die. */
export class DemoSite implements AsyncDisposable {
  readonly name: string;
  readonly path: string;
  readonly layout: SiteLayout;
  readonly api: HttpClient;
  /** Where its phones register. */
  readonly sip: Endpoint;
  /** Ports at which it speaks SIP. */
  readonly sipPorts: readonly number[];
  #child: ChildProcess;

  private constructor(file: SiteFile, api: HttpClient, child: ChildProcess) {
    this.name = file.config.site;
    this.path = file.path;
    this.layout = siteLayout(file.dataDir);
    this.api = api;
    this.sip = sipOf(file);
    this.sipPorts = Object.values(file.config.sip ?? {}).flatMap((listener) => listener?.listen.port ?? []);
    this.#child = child;
  }

  /** Starts everything of the site and waits until it serves. @throws SITE_PROGRAM_NOT_READY */
  static async start(path: string, signal: AbortSignal): Promise<DemoSite> {
    const file = await readSiteFile(path);
    const log = logOf(file.dataDir);
    const site = new DemoSite(file, await openApi({ config: path }), spawnSupervisor(path, log));
    await site.#untilReady(signal, log);
    return site;
  }

  /** Ends every process of the site at once, without a word: what a fire or a power failure does to it. */
  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit');
    await killSite(this.layout);
    await exited;
  }

  /** Starts the site again after it was killed, on what its disks hold. @throws SITE_PROGRAM_NOT_READY */
  async startAgain(signal: AbortSignal): Promise<void> {
    const log = logOf(this.layout.dataDir);
    this.#child = spawnSupervisor(this.path, log);
    await this.#untilReady(signal, log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.api[Symbol.dispose]();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  async #untilReady(signal: AbortSignal, log: string): Promise<void> {
    const child = this.#child;
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    const exited = once(child, 'exit').then(() => 'exited' as const);
    const outcome = await Promise.race([becomesReady(child), exited]);
    signal.removeEventListener('abort', stop);
    if (outcome === 'ready') return;
    signal.throwIfAborted();
    throw new DualhomeError('SITE_PROGRAM_NOT_READY', {
      detail: `Site ${this.name} did not start: ${endOf(child)}; see ${log}\n${tailOf(log)}`,
    });
  }
}

function sipOf({ config }: SiteFile): Endpoint {
  const udp = config.sip?.udp;
  if (!udp) throw new Error('sites of the tour speak SIP over UDP');
  const { host, port } = advertisedAddress(udp, config);
  return { address: host, port };
}

function logOf(dataDir: string): string {
  return join(dataDir, 'logs', 'site.log');
}

function endOf({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `it ended with code ${exitCode}` : `it was ended by ${signalCode}`;
}

/** The temporary data of a tour are gone when somebody reads its failure. */
function tailOf(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-tailLines).join('\n');
}

function spawnSupervisor(path: string, log: string): ChildProcess {
  const main = join(import.meta.dirname, '..', '..', 'site', 'main.ts');
  const output = openSync(log, 'a', 0o600);
  try {
    return fork(main, ['--config', path], { detached: true, stdio: ['ignore', output, output, 'ipc'] });
  } finally {
    closeSync(output);
  }
}

function becomesReady(child: ChildProcess): Promise<'ready'> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (readySchema.safeParse(message).success) resolve('ready');
    });
  });
}
