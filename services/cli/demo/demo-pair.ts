import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readSiteFile } from '../../site/config/read.ts';
import { formatAddress } from '../../site/config/values.ts';
import { initSite } from '../../site/init.ts';
import { ownOffer } from '../../site/pairing/offer.ts';
import { recordPeer } from '../../site/pairing/peers.ts';
import { takePortBlock } from '../../site/port-block.ts';
import { DemoSite } from './demo-site.ts';
import { openLinkProxy } from './link-proxy.ts';
import type { LinkProxy } from './link-proxy.ts';

const host = '127.0.0.1';
const both = { sends: true, receives: true };

/** Two paired sites in one directory, the network between them, and a third site outside the pair. */
export type DemoPair = AsyncDisposable & {
  readonly c1: DemoSite;
  readonly c2: DemoSite;
  /** The same software without a peer. */
  readonly c3: DemoSite;
  readonly link: LinkProxy;
};

/** Whether the pair was made before. */
export function hasPair(directory: string): boolean {
  return existsSync(directory);
}

/** Makes the sites, complete or not at all, and pairs c1 and c2; c1, which dials, reaches c2's link through a port of its own that can be cut. */
export async function makePair(directory: string): Promise<void> {
  const draft = `${directory}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await chmod(draft, 0o755);
  await using one = await takePortBlock();
  await using two = await takePortBlock();
  await using three = await takePortBlock();
  const settings = { publicHost: host, listenHost: host };
  const c1 = await initSite(join(draft, 'c1'), { site: 'c1', firstPort: one.first, ...settings });
  const c2 = await initSite(join(draft, 'c2'), { site: 'c2', firstPort: two.first, ...settings });
  await initSite(join(draft, 'c3'), { site: 'c3', firstPort: three.first, ...settings });
  const link = formatAddress({ host, port: one.first + proxyOffset });
  await recordPeer(c1, { ...(await ownOffer(c2)), link }, both);
  await recordPeer(c2, await ownOffer(c1), both);
  await rename(draft, directory);
}

/** Deletes the sites, also databases that had to be kept elsewhere and are only linked from here. */
export async function removePair(directory: string): Promise<void> {
  for (const site of ['c1', 'c2', 'c3']) {
    const databases = join(directory, site, 'data', 'postgres');
    for (const name of await readdir(databases).catch(() => [])) {
      await rm(await realpath(join(databases, name)), { recursive: true, force: true });
    }
  }
  await rm(directory, { recursive: true, force: true });
}

/** Of the port in c1's block that no program uses. */
const proxyOffset = 8;

/** Starts the sites and the network between c1 and c2. */
export async function startPair(directory: string, signal: AbortSignal): Promise<DemoPair> {
  await using stack = new AsyncDisposableStack();
  const c1File = await readSiteFile(pathOf(directory, 'c1'));
  const c2File = await readSiteFile(pathOf(directory, 'c2'));
  const listen = c1File.config.peers.find(({ name }) => name === 'c2')?.link ?? c2File.config.link.listen;
  const link = stack.use(await openLinkProxy(listen, c2File.config.link.listen));
  const [c1, c2, c3] = await startAll([c1File.path, c2File.path, pathOf(directory, 'c3')], signal);
  if (!c1 || !c2 || !c3) throw new Error('every site was started');
  const held = stack.move();
  return {
    c1,
    c2,
    c3,
    link,
    async [Symbol.asyncDispose]() {
      await Promise.all([c1, c2, c3].map((site) => site[Symbol.asyncDispose]()));
      await held.disposeAsync();
    },
  };
}

/** Starts sites side by side; where one does not start, none is left running. */
async function startAll(paths: readonly string[], signal: AbortSignal): Promise<readonly DemoSite[]> {
  await using stack = new AsyncDisposableStack();
  const outcomes = await Promise.allSettled(paths.map((path) => DemoSite.start(path, signal)));
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  for (const site of started) stack.use(site);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  stack.move();
  return started;
}

function pathOf(directory: string, site: string): string {
  return join(directory, site, 'site.yaml');
}
