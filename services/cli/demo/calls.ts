import { setTimeout as sleep } from 'node:timers/promises';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { parseVia } from '../../sip/message/via.ts';
import { Phone } from '../../simulator/phone/phone.ts';
import type { IncomingCall } from '../../simulator/phone/incoming-call.ts';
import { hostPort } from '../../simulator/user-agent/via.ts';
import { formatDuration } from '../output/format.ts';
import type { DemoPair } from './demo-pair.ts';
import type { DemoSite } from './demo-site.ts';
import { makeChanges } from './replication.ts';
import {
  numberPrefix,
  sampleAccount,
  sampleBase,
  sampleNeighbour,
  sampleNumber,
  sampleNumberOf,
  sampleSubscriber,
} from './sample.ts';
import type { TourContext } from './tour.ts';

/** Subscribers of the tour's phones: the first ones that none of the many devices is. */
const [first, second] = [201, 202];

const attemptsMax = 25;
const attemptPauseMs = 200;

type Name = 'A1' | 'A2' | 'A3' | 'A4' | 'A5';

/**
 * The telephones of MISSION.md M15: A1 and A2 at home at c1, A3 and A4 at c2, A5 at the third-party site c3, which has
 * two routes to the pair.
 */
export class TourPhones implements AsyncDisposable {
  readonly #pair: DemoPair;
  readonly #phones: Readonly<Record<Name, Phone>>;
  readonly #numbers: Readonly<Record<Name, string>>;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    pair: DemoPair,
    phones: TourPhones['phones'],
    numbers: Readonly<Record<Name, string>>,
    stack: AsyncDisposableStack,
  ) {
    [this.#pair, this.#phones, this.#numbers, this.#stack] = [pair, phones, numbers, stack];
  }

  get phones(): Readonly<Record<Name, Phone>> {
    return this.#phones;
  }

  /** Switched on, not registered. */
  static async open(pair: DemoPair): Promise<TourPhones> {
    await using stack = new AsyncDisposableStack();
    const owners = {
      A1: ['c1', first],
      A2: ['c1', second],
      A3: ['c2', first],
      A4: ['c2', second],
      A5: ['c3', first],
    } as const;
    const open = async ([site, n]: readonly [string, number]) =>
      stack.use(await Phone.open(sampleAccount(site, n)));
    const phones = {
      A1: await open(owners.A1),
      A2: await open(owners.A2),
      A3: await open(owners.A3),
      A4: await open(owners.A4),
      A5: await open(owners.A5),
    };
    const numbers = {
      A1: sampleNumber(...owners.A1),
      A2: sampleNumber(...owners.A2),
      A3: sampleNumber(...owners.A3),
      A4: sampleNumber(...owners.A4),
      A5: sampleNumber(...owners.A5),
    };
    return new TourPhones(pair, phones, numbers, stack.move());
  }

  /** Numbers, routes and neighbours; everybody at home, and calls within a site and across. */
  async callAtHome(context: TourContext): Promise<void> {
    const { c1, c2, c3 } = this.#pair;
    await context.steps.run(
      'call-setup',
      'Numbers, a third-party site and routes are configured; five phones register',
      async () => {
        await Promise.all([configure(c1, [c3]), configure(c2, [c3]), configureThirdParty(c3, [c1, c2])]);
        await this.#register(context, ['A1', 'A2'], c1);
        await this.#register(context, ['A3', 'A4'], c2);
        await this.#register(context, ['A5'], c3);
        return { phones: Object.keys(this.#phones).length };
      },
    );
    await this.#call(context, 'call-home', 'A1 calls A2, both at home', 'A1', 'A2');
    await this.#call(context, 'call-across', 'A1 calls A3 of the other site', 'A1', 'A3');
    await this.#call(context, 'call-out', 'A4 calls A5 of the third-party site', 'A4', 'A5');
  }

  /** M15 (b): only A1 has moved to c2, while c1 lives. */
  async callMoved(context: TourContext): Promise<void> {
    const { c2 } = this.#pair;
    await context.steps.run('call-b', 'A1 alone moves to c2, while c1 lives', async () => {
      await this.#register(context, ['A1'], c2);
      return {};
    });
    await this.#call(context, 'call-b-a1-a2', 'A1 calls A2: c2 hands it to c1', 'A1', 'A2');
    await this.#call(context, 'call-b-a2-a1', 'A2 calls A1: c1 hands it to c2', 'A2', 'A1');
    await this.#call(context, 'call-b-a3-a1', 'A3 calls A1: local at c2', 'A3', 'A1');
    await this.#call(context, 'call-b-a5-a1', 'A5 calls A1: c3 asks c1, c1 hands it to c2', 'A5', 'A1');
  }

  /** M15 (a): c1 is dead. */
  async callWhileDead(context: TourContext): Promise<void> {
    const { c2 } = this.#pair;
    await context.steps.run('call-a', 'A2 registers at c2, too; c1 is dead', async () => {
      await this.#register(context, ['A1', 'A2'], c2);
      return {};
    });
    await this.#call(context, 'call-a-a1-a2', 'A1 calls A2 at c2', 'A1', 'A2');
    await this.#call(context, 'call-a-a2-a1', 'A2 calls A1 at c2', 'A2', 'A1');
    await this.#call(context, 'call-a-a3-a1', 'A3 calls A1: local at c2', 'A3', 'A1');
    await this.#call(
      context,
      'call-a-a5-a1',
      'A5 calls A1: c1 does not answer, c3 takes its other route',
      'A5',
      'A1',
    );
  }

  /** c1 is back, and its phones are at home again. */
  async callAfterwards(context: TourContext): Promise<void> {
    const { c1 } = this.#pair;
    await context.steps.run('call-afterwards', 'A1 and A2 are at home again', async () => {
      await this.#register(context, ['A1', 'A2'], c1);
      return {};
    });
    await this.#call(context, 'call-afterwards-a5-a1', 'A5 calls A1 at c1', 'A5', 'A1', ['c3', 'c1']);
    const across = ['c2', 'c1'];
    await this.#call(context, 'call-afterwards-a3-a2', 'A3 calls A2 of the other site', 'A3', 'A2', across);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #register({ signal }: TourContext, names: readonly Name[], site: DemoSite): Promise<void> {
    for (const name of names) {
      await persist(`${name} at ${site.name}`, signal, async () => {
        const response = await this.#phones[name].register(site.sip);
        return response?.status === 200 ? true : `REGISTER: ${response?.status ?? 'no answer'}`;
      });
    }
  }

  /** A call; where sites are given, again until it goes by them: the others learn in a moment that one is back. */
  async #call(
    { steps, signal }: TourContext,
    step: string,
    title: string,
    from: Name,
    to: Name,
    sites?: readonly string[],
  ): Promise<void> {
    const path = sites && [from, ...sites, to].join(' > ');
    await steps.run(
      step,
      title,
      async () => {
        let made: { path: string; postDialDelayMs: number } | undefined;
        await persist(`${from} calls ${to}`, signal, async () => {
          const result = await this.#callOnce(from, to);
          if (typeof result === 'string') return result;
          if (path !== undefined && result.path !== path) return `it went ${result.path}`;
          made = result;
          return true;
        });
        return { path: made?.path ?? '', postDialDelayMs: made?.postDialDelayMs ?? 0 };
      },
      ({ path, postDialDelayMs }) => `${path}, rings after ${formatDuration(postDialDelayMs)}`,
    );
  }

  /** Dials, rings, talks and hangs up; the way the call took, or why it was not made. */
  async #callOnce(from: Name, to: Name): Promise<string | { path: string; postDialDelayMs: number }> {
    const [caller, called] = [this.#phones[from], this.#phones[to]];
    const startedMs = performance.now();
    const dialling = caller.dial(this.#numbers[to]);
    const ringing = called.nextCall();
    const incoming = await Promise.race([ringing, dialling.outcome]);
    if (!('invite' in incoming)) return `${incoming.status} ${incoming.response?.reason ?? 'no answer'}`;
    const postDialDelayMs = Math.round(performance.now() - startedMs);
    incoming.ring();
    const answered = incoming.accept();
    const { status, call } = await dialling.outcome;
    if (!call) return `${status} after it rang`;
    if (!(await answered.acknowledged)) return 'the answer was not acknowledged';
    const bye = await answered.bye();
    await call.ended;
    if (bye?.status !== 200) return `BYE: ${bye?.status ?? 'no answer'}`;
    return { path: this.#pathOf(from, to, incoming), postDialDelayMs };
  }

  /** The sites an INVITE came by, from its Via fields: the newest is on top. */
  #pathOf(from: Name, to: Name, { invite }: IncomingCall): string {
    const { c1, c2, c3 } = this.#pair;
    const ports = invite.values('via').map((value) => parseVia(value)?.port);
    const sites = ports.toReversed().flatMap((port) => {
      const site = [c1, c2, c3].find(({ sipPorts }) => port !== undefined && sipPorts.includes(port));
      return site ? [site.name] : [];
    });
    return [from, ...sites, to].join(' > ');
  }
}

/** Again and again, since what one site has learned takes a moment to the other. @throws DEMO_CALL_FAILED */
async function persist(
  what: string,
  signal: AbortSignal,
  attempt: () => Promise<true | string>,
): Promise<void> {
  let reason: true | string = '';
  for (let attempts = 0; attempts < attemptsMax; attempts += 1) {
    reason = await attempt();
    if (reason === true) return;
    await sleep(attemptPauseMs, undefined, { signal });
  }
  throw new DualhomeError('DEMO_CALL_FAILED', { detail: `${what}: ${reason}` });
}

async function configure(site: DemoSite, outside: readonly DemoSite[]): Promise<void> {
  const changes = [
    ...[first, second].map((n) => sampleNumberOf(site.name, n)),
    ...outside.flatMap((other) => [
      sampleNeighbour(other.name, hostPort(other.sip)),
      routeTo([other], numberPrefix(other.name)),
    ]),
  ];
  await makeChanges(site, changes, 'tour: calls');
}

/** c3 has one subscriber, and for the numbers of the pair a route with two alternatives each. */
async function configureThirdParty(site: DemoSite, pair: readonly DemoSite[]): Promise<void> {
  const changes = [
    ...sampleBase(site.name),
    {
      op: 'put',
      kind: 'subscriber',
      row: { ...sampleSubscriber(site.name, 'c3', first), backup_site: null },
    } as const,
    sampleNumberOf(site.name, first),
    ...pair.flatMap((other) => [
      sampleNeighbour(other.name, hostPort(other.sip)),
      routeTo([other, ...pair.filter((each) => each !== other)], numberPrefix(other.name)),
    ]),
  ];
  await makeChanges(site, changes, 'tour: calls');
}

function routeTo(hops: readonly DemoSite[], prefix: string) {
  const nextHops = hops.map(({ sip }) => `sip:${hostPort(sip)}`);
  return { op: 'put', kind: 'route', row: { prefix, class: 'national', next_hops: nextHops } } as const;
}
