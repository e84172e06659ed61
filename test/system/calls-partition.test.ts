import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { route } from '../../services/model/route.ts';
import { thirdPartySite } from '../../services/model/third-party-site.ts';
import { callRecordsOf } from '../support/call-records.ts';
import { CallSites } from '../support/call-sites.ts';
import { numberOf } from '../support/call-sites-configuration.ts';
import { UdpClient } from '../support/sip-clients.ts';
import { SoftPhone } from '../support/soft-phone.ts';

let sites: CallSites;
/** A second phone of A2, at c2, while its first is at c1. */
let other: SoftPhone;

beforeAll(async () => {
  sites = await CallSites.start();
  other = await SoftPhone.open({ user: 'a2' }, await sites.pair.c2.sip());
  await sites.talk('a1', 'a3');
  await sites.talk('a3', 'a1');
}, 120_000);
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await sites[Symbol.asyncDispose]();
}, 120_000);

/** Next hops that hear everything and say nothing, as a route of c1; `probe` as a third party of theirs is configured. */
async function deadRoute(prefix: string, probe: boolean): Promise<AsyncDisposableStack> {
  const { c1 } = sites.pair;
  await using stack = new AsyncDisposableStack();
  const hops = [stack.use(await UdpClient.open(0)), stack.use(await UdpClient.open(0))];
  const addresses = hops.map(({ port }) => `127.0.0.1:${port}`);
  const name = `dead${prefix.slice(1)}`;
  const site = { name, addresses, transport: 'udp', certificate_sha256: null, probe };
  await c1.put(thirdPartySite, thirdPartySite.schema.parse(site));
  const row = { prefix, class: 'all', next_hops: addresses.map((address) => `sip:${address}`) };
  const { seq } = await c1.put(route, route.schema.parse(row));
  await c1.waitServing('processor-home', seq);
  return stack.move();
}

/** What a call comes to, and when. */
async function outcomeOf(from: 'a1' | 'a5', called: string) {
  const startMs = performance.now();
  const status = await sites.phones[from].call(called).status();
  return { status, ms: performance.now() - startMs };
}

describe('a call', () => {
  it('to who is registered at both sites rings at both; who answers first has it', async () => {
    const { pair, phones } = sites;
    expect(await other.register()).toBe(200);
    await sites.waitKnown(pair.c1, other, true);
    await sites.waitKnown(pair.c2, phones.a2, true);
    for (const [from, answers, loses] of [
      ['a1', other, phones.a2],
      ['a3', phones.a2, other],
    ] as const) {
      const call = phones[from].call(numberOf.a2);
      const [taken, rung] = [(await answers.ringing()).ring(), (await loses.ringing()).ring()];
      const [caller] = await Promise.all([call.answered(), taken.accept()]);
      await rung.wasCancelled;
      expect(await caller.bye()).toBe(200);
    }
  });

  it('to a number of nobody is 404, to a subscriber who is nowhere 480', async () => {
    expect((await outcomeOf('a1', '+49309')).status).toBe(404);
    const { a4 } = sites.phones;
    expect(await a4.register(0)).toBe(200);
    await sites.waitKnown(sites.pair.c1, a4, false);
    expect((await outcomeOf('a1', numberOf.a4)).status).toBe(480);
  });

  it('out by a route of which both next hops are silent is 504 after 2 s each', async () => {
    await using _ = await deadRoute('+331', false);
    const { status, ms } = await outcomeOf('a1', '+331');
    expect(status).toBe(504);
    expect(ms).toBeGreaterThan(3_900);
    expect(ms).toBeLessThan(10_000);
  });

  it('out by a route of which both next hops are known to be dead is answered at once', async () => {
    await using _ = await deadRoute('+332', true);
    await sites.pair.c1.waitFor('dead next hops to be left out', async () => {
      const { status, ms } = await outcomeOf('a1', '+332');
      expect(status).toBe(504);
      return ms < 1_000;
    });
  });
});

/** The cases build on each other: the link goes down and stays so. */
describe('while both sites live and the link is down', () => {
  it('calls go on at each site, and across to every device', async () => {
    const { link, c2 } = sites.pair;
    link.refuse();
    link.cut('rst');
    await sites.talk('a1', 'slow1');
    await sites.talk('a3', 'slow2');
    await sites.talk('a1', 'a3');
    await sites.talk('a3', 'a1');
    // c1 cannot know that it is back: it is looked for at its home.
    await sites.move('a4', c2);
    await sites.talk('a1', 'a4');
  });

  it('a call to a device that each site believes the other to have ends, and does not circle', async () => {
    const { pair, phones } = sites;
    expect(await Promise.all([phones.a2.register(0), other.register(0)])).toEqual([200, 200]);
    for (const from of ['a1', 'a3'] as const) {
      const call = phones[from].call(numberOf.a2);
      expect(await call.status()).toBe(480);
      const recordCounts = async () => {
        const records = [pair.c1, pair.c2].map((site) => callRecordsOf(site, call.callId));
        return (await Promise.all(records)).map(({ length }) => length);
      };
      // One record, at the site that was called first.
      await expect.poll(recordCounts).toEqual(from === 'a1' ? [1, 0] : [0, 1]);
    }
  });
});

it('a third party whose both routes are dead is told so in time', async () => {
  const { pair } = sites;
  await Promise.all([sites.kill(pair.c1), sites.kill(pair.c2)]);
  const first = await outcomeOf('a5', numberOf.a1);
  expect([503, 504]).toContain(first.status);
  expect(first.ms).toBeLessThan(10_000);
  await sites.c3.waitFor(
    'dead sites to be left out',
    async () => (await outcomeOf('a5', numberOf.a1)).ms < 1_000,
  );
});
