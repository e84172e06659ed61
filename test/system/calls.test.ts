import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallSites } from '../support/call-sites.ts';
import { dualhome } from '../support/dualhome.ts';

let sites: CallSites;

beforeAll(async () => {
  sites = await CallSites.start();
}, 120_000);
afterAll(() => sites[Symbol.asyncDispose](), 120_000);

/** The cases build on each other, as an outage does: all at home, one moved each way, c1 dead. */
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

  it('(a) go on at c2 when c1 is dead, those in progress too: BYE and re-INVITE arrive, both ways', async () => {
    const { c1, c2 } = sites.pair;
    await sites.move('a3', c2);
    const { caller, callee } = await sites.connect('a2', 'a3');
    await sites.kill(c1);
    await sites.move('a2', c2);
    expect(await caller.request('INVITE')).toBe(200);
    expect((await callee.requests.next()).method).toBe('INVITE');
    expect(await callee.bye()).toBe(200);
    expect((await caller.requests.next()).method).toBe('BYE');

    await sites.move('a1', c2);
    await sites.talk('a1', 'a2');
    await sites.talk('a3', 'a1');
    await sites.talk('a5', 'a1');
    await sites.talk('a2', 'a5');
  });
});
