import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallSites } from '../support/call-sites.ts';
import { emergencyNumber, numberOf, premiumNumber } from '../support/call-sites-configuration.ts';
import { bothWays } from '../support/dialog-checks.ts';

/** M15 (a) and its mirror image; the cases of one site build on each other. */
describe.each([
  {
    dead: 'c1',
    alive: 'c2',
    lost: ['a1', 'a2'],
    kept: ['a3', 'a4'],
    local: '2',
    forwards: { always: 'always1', busy: 'busy1', slow: 'slow1', away: 'away1' },
  },
  {
    dead: 'c2',
    alive: 'c1',
    lost: ['a3', 'a4'],
    kept: ['a1', 'a2'],
    local: '4',
    forwards: { always: 'always2', busy: 'busy2', slow: 'slow2', away: 'away2' },
  },
] as const)('calls when $dead is killed', ({ dead, alive, lost: [x, y], kept: [k, l], local, forwards }) => {
  let sites: CallSites;

  beforeAll(async () => {
    sites = await CallSites.start();
  }, 120_000);
  afterAll(() => sites[Symbol.asyncDispose](), 120_000);

  /** What the subscribers of the dead site have at home they have at their backup. */
  const expectFeatures = async (): Promise<void> => {
    const { phones } = sites;
    await sites.dial(x, local, y);
    await sites.dial(x, emergencyNumber, 'a5');
    await sites.dial(x, numberOf.a5, 'a5');
    expect(await phones[x].call(premiumNumber).status()).toBe(403);
    await sites.dial(x, numberOf[forwards.always], k);
    await sites.dial(x, numberOf[forwards.away], k);
    const busy = phones[forwards.busy].ringing().then((call) => call.reject(486));
    await Promise.all([sites.dial(x, numberOf[forwards.busy], k), busy]);
    const slow = phones[forwards.slow].ringing().then((call) => call.ring().wasCancelled);
    await Promise.all([sites.dial(x, numberOf[forwards.slow], k), slow]);
  };

  it('have all features at home', async () => {
    await sites.talk(x, k);
    await sites.talk(k, x);
    await expectFeatures();
  });

  it('go on in both directions, whichever end has moved; those that rang are made again', async () => {
    const { pair, phones } = sites;
    const callerMoves = await sites.connect(x, k);
    const calleeMoves = await sites.connect(l, y);
    const bothMove = await sites.connect(x, y);
    const toDead = phones[k].call(numberOf[x]);
    (await phones[x].ringing()).ring();
    const fromDead = phones[x].call(numberOf[l]);
    const atKept = (await phones[l].ringing()).ring();
    await Promise.all([toDead.provisional(180), fromDead.provisional(180)]);

    await sites.kill(pair[dead]);
    expect(await toDead.status()).toBe(480);
    await atKept.wasCancelled;
    for (const name of [x, y, forwards.busy, forwards.slow]) await sites.move(name, pair[alive]);
    for (const { caller, callee } of [callerMoves, calleeMoves, bothMove]) await bothWays(caller, callee);
    for (const [from, to] of [
      [callerMoves.caller, callerMoves.callee],
      [calleeMoves.callee, calleeMoves.caller],
      [bothMove.caller, bothMove.callee],
    ] as const) {
      expect(await from.bye()).toBe(200);
      expect((await to.requests.next()).method).toBe('BYE');
    }
    await sites.talk(k, x);
    await sites.talk(x, l);
  });

  it('(a) reach everybody at the other site', async () => {
    await sites.talk(x, y);
    await sites.talk(y, x);
    await sites.talk(k, x);
    await sites.talk('a5', x);
    await sites.talk(x, 'a5');
  });

  it('have all features there', async () => {
    await expectFeatures();
  });
});
