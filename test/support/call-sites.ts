import { chmod } from 'node:fs/promises';
import { signalProcess } from '../../services/platform/embedded-postgres/process.ts';
import { configureCallSites, numberOf } from './call-sites-configuration.ts';
import type { DeviceName } from './call-sites-configuration.ts';
import { SoftPhone } from './soft-phone.ts';
import type { Dialog } from './soft-phone.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { TestSite } from './test-site.ts';
import { TwoSites } from './two-sites.ts';

/**
 * The devices and sites of M15 as real processes: A1 and A2 at home at c1, A3 and A4 at c2, A5 at c3, the same software
 * without a peer, which has a route with two alternatives for each of them: his home, then his backup.
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
    const names = Object.keys(numberOf) as DeviceName[];
    const opened = names.map(async (user) => {
      const host = user === 'a5' ? 'c3.example' : 'example.com';
      return [user, stack.use(await SoftPhone.open({ user, domain: host }))] as const;
    });
    const phones = Object.fromEntries(await Promise.all(opened)) as CallSites['phones'];
    const sites = new CallSites(pair, c3, phones, stack.move());
    try {
      const { c1, c2 } = pair;
      await configureCallSites({ c1, c2, c3 });
      const [head1, head2] = await Promise.all([c1.head(), c2.head()]);
      await Promise.all([
        c2.waitServing('processor-standby-c1', head1.seq),
        c1.waitServing('processor-standby-c2', head2.seq),
        ...(['a1', 'a2', 'busy1', 'slow1'] as const).map((name) => sites.move(name, c1)),
        ...(['a3', 'a4', 'busy2', 'slow2'] as const).map((name) => sites.move(name, c2)),
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
    phone.server = await site.sip();
    await site.waitFor(`${name} to be registered`, async () => (await phone.register()) === 200);
  }

  /** Waits until the site's distribution has the phone's binding, or has it no longer. */
  async waitKnown(site: TestSite, { contact }: SoftPhone, isKnown: boolean): Promise<void> {
    const peer = site === this.pair.c1 ? 'c2' : 'c1';
    const database = await site.database('shared');
    await site.waitFor(`${contact} to be ${isKnown ? 'known' : 'forgotten'}`, async () => {
      const { rows } = await database.query<{ contact: string }>(
        `select contact from own.flows where not gone union all select contact from peer_${peer}.flows where not gone`,
      );
      return rows.some((flow) => flow.contact === contact) === isKnown;
    });
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

  /** One device dials, another answers; they hang up. */
  async dial(from: DeviceName, number: string, to: DeviceName): Promise<void> {
    const call = this.phones[from].call(number);
    const [caller, callee] = await Promise.all([
      call.answered(),
      this.phones[to].ringing().then((each) => each.ring().accept()),
    ]);
    await caller.bye();
    await callee.requests.next();
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
}
