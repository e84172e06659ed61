import { chmod } from 'node:fs/promises';
import { ownOffer } from '../../services/site/pairing/offer.ts';
import { recordPeer } from '../../services/site/pairing/peers.ts';
import { formatAddress } from '../../services/site/config/values.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { TestSite } from './test-site.ts';

export type TwoSitesOptions = {
  /** Environment of each site's supervisor and programs, for instance DUALHOME_FAILPOINT. */
  readonly env?: Readonly<Partial<Record<'c1' | 'c2', Readonly<Record<string, string>>>>> | undefined;
  /** c1 dials c2 itself instead of `link`, which then carries nothing. */
  readonly direct?: boolean | undefined;
  /** Where the sites listen; default loopback. */
  readonly host?: string | undefined;
};

const both = { sends: true, receives: true };

/** Two sites, paired, as real processes: `await using pair = await TwoSites.start()`. */
export class TwoSites implements AsyncDisposable {
  readonly c1: TestSite;
  readonly c2: TestSite;
  /** The network of the link, which c1 dials; files over FTP do not pass here. */
  readonly link: TcpProxy;
  readonly #stack: AsyncDisposableStack;

  private constructor(c1: TestSite, c2: TestSite, link: TcpProxy, stack: AsyncDisposableStack) {
    [this.c1, this.c2, this.link, this.#stack] = [c1, c2, link, stack];
  }

  /** Made and paired, not started. */
  static async create({ direct = false, host }: Omit<TwoSitesOptions, 'env'> = {}): Promise<TwoSites> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await TemporaryDirectory.create());
    await chmod(path, 0o755);
    const c1 = stack.use(await TestSite.create('c1', path, host));
    const c2 = stack.use(await TestSite.create('c2', path, host));
    const [file1, file2] = [await c1.file(), await c2.file()];
    const link = stack.use(await TcpProxy.listen({ target: file2.config.link.listen }));
    const offer = await ownOffer(file2);
    await recordPeer(file1, direct ? offer : { ...offer, link: formatAddress(link.address) }, both);
    await recordPeer(file2, await ownOffer(file1), both);
    return new TwoSites(c1, c2, link, stack.move());
  }

  /** Made, paired, and everything runs. */
  static async start({ env = {}, ...options }: TwoSitesOptions = {}): Promise<TwoSites> {
    const sites = await TwoSites.create(options);
    try {
      await Promise.all([sites.c1.start(env.c1), sites.c2.start(env.c2)]);
    } catch (error) {
      await sites[Symbol.asyncDispose]();
      throw error;
    }
    return sites;
  }

  /**
   * Domain and users at `home` (`ada@c1.example`, each with everybody's password); returns when both sites serve them,
   * the other one as their backup.
   */
  async provision(home: 'c1' | 'c2', users: readonly string[]): Promise<void> {
    const [site, peer] = home === 'c1' ? [this.c1, this.c2] : [this.c2, this.c1];
    const seq = await site.provision(users, { backup_site: peer.name });
    await site.waitServing('processor-home', seq);
    await peer.waitServing(`processor-standby-${home}`, seq);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
