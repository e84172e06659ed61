import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallSites } from '../support/call-sites.ts';
import { numberOf } from '../support/call-sites-configuration.ts';
import { bothWays } from '../support/dialog-checks.ts';
import { addThirdParty } from '../support/clients/sip-sites.ts';
import { dualhome } from '../support/dualhome.ts';
import { UdpClient } from '../support/sip-clients.ts';
import { aRequest } from '../support/sip-messages.ts';

let sites: CallSites;

beforeAll(async () => {
  sites = await CallSites.start();
}, 120_000);
afterAll(() => sites[Symbol.asyncDispose](), 120_000);

/** The cases build on each other: all at home, one moved each way, then kills of what starts again. */
describe('calls of M15', () => {
  it('reach everybody while everybody is at home', async () => {
    await sites.talk('a1', 'a2');
    await sites.talk('a1', 'a3');
    await sites.talk('a4', 'a2');
    await sites.talk('a5', 'a1');
    await sites.talk('a3', 'a5');
  });

  it('are explained to an operator step by step', async () => {
    const { path } = sites.pair.c1;
    const { stdout, code } = await dualhome(
      'dispatch',
      'explain',
      '+49303',
      '--from',
      'a1@example.com',
      '-c',
      path,
    );
    expect({ stdout, code }).toEqual({ stdout: expect.stringMatching(/^1\. .+\n2\. /), code: 0 });
    expect(stdout).toContain('the processor of c2 knows the callee');
    expect(stdout).toContain('registered at c2, via its front');
  });

  it('are taken from a neighbour that one site alone knows, whoever of the other it says is calling', async () => {
    const { c1 } = sites.pair;
    await sites.waitKnown(c1, sites.phones.a3, true);
    await using gateway = await UdpClient.open((await c1.sip()).port);
    const statusOf = async (attempt: number): Promise<number> => {
      const fields = {
        Via: `SIP/2.0/UDP 127.0.0.1:${gateway.port};branch=z9hG4bKgateway${attempt}`,
        From: '<sip:a3@example.com>;tag=1',
        'Call-ID': `gateway-${attempt}`,
      };
      gateway.send(aRequest('MESSAGE', { uri: 'sip:+49309999@example.com', fields }).toBuffer());
      return (await gateway.response()).status;
    };
    expect(await statusOf(1)).toBe(407);
    await addThirdParty(c1, 'gateway', `127.0.0.1:${gateway.port}`);
    await c1.waitServing('processor-home', (await c1.head()).seq);
    expect(await statusOf(2)).toBe(404);
  });

  it('(b) reach who alone has moved to the other site, whoever calls, and from there anybody', async () => {
    await sites.move('a1', sites.pair.c2);
    await sites.talk('a1', 'a2');
    await sites.talk('a2', 'a1');
    await sites.talk('a3', 'a1');
    await sites.talk('a5', 'a1');
    await sites.talk('a1', 'a5');
  });

  it('(b) the other way about', async () => {
    await sites.move('a3', sites.pair.c1);
    await sites.talk('a3', 'a4');
    await sites.talk('a4', 'a3');
    await sites.talk('a2', 'a3');
    await sites.talk('a5', 'a3');
  });

  it('ring on while the processors that decided about them are killed', async () => {
    const { c1 } = sites.pair;
    const ringing = sites.phones.a4.ringing();
    const call = sites.phones.a2.call('+49304');
    const incoming = (await ringing).ring();
    await call.provisional(180);
    const units = ['processor-home', 'processor-standby-c2'];
    const pids = await Promise.all(units.map(async (unit) => [unit, await c1.kill(unit)] as const));
    const [caller] = await Promise.all([call.answered(), incoming.accept()]);
    expect(await caller.bye()).toBe(200);
    for (const [unit, pid] of pids) await c1.waitForRestart(unit, pid);
  });

  it.each([
    ['at one site', 'a1', 'a2'],
    ['across sites', 'a1', 'a4'],
  ] as const)('%s go on when a front was killed; those that ring are made again', async (_, from, to) => {
    const { c1 } = sites.pair;
    await sites.move('a1', c1);
    const { caller, callee } = await sites.connect(from, to);
    const ringing = sites.phones[to].ringing();
    const lost = sites.phones[from].call(numberOf[to]);
    (await ringing).ring();
    await lost.provisional(180);
    await c1.waitForRestart('front', await c1.kill('front'));

    await bothWays(caller, callee);
    expect(await callee.bye()).toBe(200);
    expect((await caller.requests.next()).method).toBe('BYE');
    await sites.talk(from, to);
  });
});
