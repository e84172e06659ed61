import { chmod } from 'node:fs/promises';
import { domain } from '../../services/model/domain.ts';
import { number } from '../../services/model/number.ts';
import { route } from '../../services/model/route.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import { thirdPartySite } from '../../services/model/third-party-site.ts';
import type { Address } from '../../services/protocol/program-config.ts';
import { digestHa1 } from '../../services/sip/auth/digest.ts';
import { signalProcess } from '../../services/platform/embedded-postgres/process.ts';
import { SoftPhone } from './soft-phone.ts';
import type { Dialog } from './soft-phone.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { TestSite } from './test-site.ts';
import { TwoSites } from './two-sites.ts';

const numberOf = { a1: '+49301', a2: '+49302', a3: '+49303', a4: '+49304', a5: '+44205' } as const;
export type DeviceName = keyof typeof numberOf;

/**
 * The devices and sites of M15 as real processes: A1 and A2 at home at c1, A3 and A4 at c2, A5 at c3, the same software
 * without a peer, which has a route with two alternatives, c1 and then c2.
 */
export class CallSites implements AsyncDisposable {
  readonly pair: TwoSites;
  readonly c3: TestSite;
  readonly phones: Readonly<Record<DeviceName, SoftPhone>>;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    pair: TwoSites,
    c3: TestSite,
    phones: CallSites['phones'],
    stack: AsyncDisposableStack,
  ) {
    [this.pair, this.c3, this.phones, this.#stack] = [pair, c3, phones, stack];
  }

  /** Everything runs, is configured, and every device is registered at home. */
  static async start(): Promise<CallSites> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await TemporaryDirectory.create());
    await chmod(path, 0o755);
    const c3 = stack.use(await TestSite.create('c3', path));
    const pair = stack.use(await TwoSites.create());
    await Promise.all([pair.c1.start(), pair.c2.start(), c3.start()]);
    const open = async (user: string, host: string) =>
      stack.use(await SoftPhone.open({ user, domain: host }));
    const phones = {
      a1: await open('a1', 'example.com'),
      a2: await open('a2', 'example.com'),
      a3: await open('a3', 'example.com'),
      a4: await open('a4', 'example.com'),
      a5: await open('a5', 'c3.example'),
    };
    const sites = new CallSites(pair, c3, phones, stack.move());
    try {
      await sites.#configure();
      const { c1, c2 } = pair;
      await Promise.all([
        sites.move('a1', c1),
        sites.move('a2', c1),
        sites.move('a3', c2),
        sites.move('a4', c2),
        sites.move('a5', c3),
      ]);
      return sites;
    } catch (error) {
      await sites[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The device registers at the site, and goes on doing so until it is let in. */
  async move(name: DeviceName, site: TestSite): Promise<void> {
    const phone = this.phones[name];
    phone.server = await sipAddress(site);
    await site.waitFor(`${name} to be registered`, async () => (await phone.register()) === 200);
  }

  /** One device calls the other, which answers; again, as long as what one site learned has not come to the other. */
  async connect(
    from: DeviceName,
    to: DeviceName,
  ): Promise<{ readonly caller: Dialog; readonly callee: Dialog }> {
    const ringing = this.phones[to].ringing();
    let call = this.phones[from].call(numberOf[to]);
    await this.pair.c2.waitFor(`${to} to ring for ${from}`, async () => {
      const rang = await Promise.race([ringing, call.status()]);
      if (typeof rang !== 'number') return true;
      call = this.phones[from].call(numberOf[to]);
      return false;
    });
    const [caller, callee] = await Promise.all([
      call.answered(),
      ringing.then((each) => each.ring().accept()),
    ]);
    return { caller, callee };
  }

  /** They call each other and hang up, each way once. */
  async talk(from: DeviceName, to: DeviceName): Promise<void> {
    const { caller, callee } = await this.connect(from, to);
    const [hangsUp, hears] = from < to ? [caller, callee] : [callee, caller];
    const status = await hangsUp.bye();
    if (status !== 200) throw new Error(`${from} and ${to}: BYE was answered ${status}`);
    await hears.requests.next();
  }

  /** kill -9 of everything of a site. */
  async kill(site: TestSite): Promise<void> {
    const processes = await site.processes();
    await site.killSupervisor();
    for (const { pid } of processes.values()) signalProcess(pid, 'SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #configure(): Promise<void> {
    const { c1, c2 } = this.pair;
    const at = { c1: await sipAddress(c1), c2: await sipAddress(c2), c3: await sipAddress(this.c3) };
    const text = ({ host, port }: Address): string => `${host}:${port}`;
    const thirdParty = (name: 'c1' | 'c2' | 'c3') => ({
      name,
      addresses: [text(at[name])],
      transport: 'udp',
      certificate_sha256: null,
      probe: true,
    });
    const serves = async (site: TestSite, name: string, devices: readonly DeviceName[]): Promise<void> => {
      await site.put(domain, { name, realm: name, aliases: [] });
      for (const device of devices) {
        const aor = `${device}@${name}`;
        const other = { c1: 'c2', c2: 'c1' }[site.name] ?? null;
        const ha1 = digestHa1('MD5', device, name, 'secret');
        await site.put(
          subscriber,
          subscriber.schema.parse({
            aor,
            ha1_md5: ha1,
            home_site: site.name,
            backup_site: other,
            class_of_service: ['all'],
          }),
        );
        await site.put(number, { number: numberOf[device], aor });
      }
    };
    const leads = (site: TestSite, prefix: string, hops: readonly ('c1' | 'c2' | 'c3')[]) =>
      site.put(
        route,
        route.schema.parse({
          prefix,
          class: 'all',
          next_hops: hops.map((hop) => `sip:${text(at[hop])}`),
        }),
      );
    await Promise.all([
      serves(c1, 'example.com', ['a1', 'a2']),
      serves(c2, 'example.com', ['a3', 'a4']),
      serves(this.c3, 'c3.example', ['a5']),
    ]);
    for (const site of [c1, c2]) {
      await site.put(thirdPartySite, thirdParty('c3'));
      await leads(site, '+44', ['c3']);
    }
    for (const name of ['c1', 'c2'] as const) await this.c3.put(thirdPartySite, thirdParty(name));
    await leads(this.c3, '+49', ['c1', 'c2']);
  }
}

async function sipAddress(site: TestSite): Promise<Address> {
  const { config } = await site.file();
  const listen = config.sip?.udp?.listen;
  if (!listen) throw new Error(`${site.name} speaks no SIP over UDP`);
  return listen;
}
