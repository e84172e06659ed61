import { describe, expect, it, onTestFinished } from 'vitest';
import { device } from '../../services/model/device.ts';
import { domain } from '../../services/model/domain.ts';
import { environment } from '../../services/model/environment.ts';
import { number } from '../../services/model/number.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import type { OriginateFacts } from '../../services/protocol/dispatch/call.ts';
import type { ProcessorConfig } from '../../services/protocol/program-config.ts';
import { aDevice, aDomain, aNumber, aUser } from '../support/builders.ts';
import { credentials } from '../support/digest.ts';
import type { FrontClient } from '../support/front-client.ts';
import { ProcessorBed, registerFacts } from '../support/processor.ts';

const ada = aUser('ada@c1.example');

/** A processor that runs, with ada and her device in its database, and a front that asks it. */
async function processor(overrides: Partial<ProcessorConfig> = {}) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const bed = stack.use(await ProcessorBed.create(overrides));
  await bed.put(domain, [aDomain('c1.example', { aliases: ['192.0.2.1'] })]);
  await bed.put(subscriber, [ada]);
  await bed.put(device, [aDevice('gateway', 'ada@c1.example', { address: '192.0.2.9' })]);
  const running = stack.use(await bed.start());
  const front = stack.use(await bed.connect());
  return { bed, front, running, stack };
}

const isServing = ({ serving }: { serving: boolean }) => serving;

/** Registers as a client does: once without credentials, then with what the challenge asks for. */
async function register(front: FrontClient, user: string, facts: Parameters<typeof registerFacts>[1] = {}) {
  const challenge = await front.ask(registerFacts(user, facts));
  if (challenge.kind !== 'challenge') return challenge;
  const { realm, nonce } = challenge;
  return front.ask(
    registerFacts(user, { ...facts, credentials: credentials({ username: user, realm, nonce }) }),
  );
}

describe('a processor', () => {
  it('says who it is and how it is, and registers a subscriber', async () => {
    const { front } = await processor();
    await front.waitState(isServing);
    expect(front.said[0]).toMatchObject({ kind: 'hello', owner: 'c1', role: 'home' });
    expect(front.said[1]).toMatchObject({ kind: 'state' });
    expect(front.state?.configuration?.seq).toBe(4);
    expect(await register(front, 'ada', { party: { user: 'ada', host: '192.0.2.1:5060' } })).toEqual({
      kind: 'granted',
      aor: 'ada@c1.example',
      owner: 'c1',
      device: 'gateway',
      expiresSeconds: { min: 60, default: 3_600, max: 7_200 },
      contactsMax: 10,
    });
  });

  it('believes no copy of a registration that it has believed', async () => {
    const { front } = await processor();
    await front.waitState(isServing);
    const challenge = await front.ask(registerFacts('ada'));
    if (challenge.kind !== 'challenge') throw new Error(challenge.kind);
    const { realm, nonce } = challenge;
    const proof = { credentials: credentials({ username: 'ada', realm, nonce }) };
    expect(await front.ask(registerFacts('ada', proof))).toMatchObject({ kind: 'granted' });
    const elsewhere = { transport: 'udp', address: '198.51.100.66', port: 5060 } as const;
    const copy = await front.ask(registerFacts('ada', { ...proof, source: elsewhere }));
    expect(copy).toMatchObject({ kind: 'challenge', stale: true });
  });

  it('passes on whom it does not know', async () => {
    const { front } = await processor();
    await front.waitState(isServing);
    expect(await register(front, 'ada', { party: { user: 'ada', host: 'c2.example' } })).toEqual({
      kind: 'not-mine',
      challenge: null,
    });
    expect(await register(front, 'nobody')).toMatchObject({
      kind: 'not-mine',
      challenge: { realm: 'c1.example' },
    });
  });

  it('answers by the configuration it has announced, change by change', async () => {
    const { bed, front } = await processor();
    await front.waitState(isServing);
    expect((await register(front, 'ada')).kind).toBe('granted');
    const told = (seq: number) => front.waitState((state) => state.configuration?.seq === seq);

    await told(await bed.put(environment, [{ name: 'register.expires.max', value: '900' }]));
    expect(await register(front, 'ada')).toMatchObject({ expiresSeconds: { max: 900, default: 900 } });
    await told(await bed.put(device, [aDevice('phone', 'ada@c1.example', { instance: 'urn:uuid:1' })]));
    expect(await register(front, 'ada', { instance: 'urn:uuid:1' })).toMatchObject({ device: 'phone' });
    await told(await bed.put(subscriber, [aUser('bob@c1.example')]));
    await told(await bed.put(device, [aDevice('iad', null, { address: '192.0.2.9' })]));
    expect(await register(front, 'bob')).toMatchObject({ device: 'iad' });
    expect(await register(front, 'ada')).toMatchObject({ device: 'gateway' });
    await told(await bed.put(subscriber, [aUser('ada@c1.example', { ha1_md5: '0'.repeat(32) })]));
    expect((await register(front, 'ada')).kind).toBe('challenge');
    await told(await bed.put(subscriber, [], [ada]));
    expect((await register(front, 'ada')).kind).toBe('not-mine');
    await told(await bed.put(subscriber, [aUser('bob@c1.example')]));
    expect((await register(front, 'bob')).kind).toBe('granted');
  });

  it('answers many at once, each for itself', async () => {
    const { bed, front } = await processor();
    const users = Array.from({ length: 1_000 }, (_, n) => `user${n}`);
    const seq = await bed.put(
      subscriber,
      users.map((user) => aUser(`${user}@c1.example`)),
    );
    await front.waitState((state) => state.serving && state.configuration?.seq === seq);
    const decisions = await Promise.all([...users, ...users].map((user) => register(front, user)));
    expect(decisions.map((decision) => (decision.kind === 'granted' ? decision.aor : decision.kind))).toEqual(
      [...users, ...users].map((user) => `${user}@c1.example`),
    );
  });

  it('decides about calls from the same configuration', async () => {
    const { bed, front } = await processor();
    const seq = await bed.put(number, [aNumber(1, { aor: 'ada@c1.example' })]);
    await front.waitState((state) => state.configuration?.seq === seq);
    const callee = { address: null, number: '+49300000001' };
    expect(await front.ask({ kind: 'locate', callee })).toMatchObject({
      kind: 'found',
      aor: 'ada@c1.example',
    });
    const source = { transport: 'udp', address: '192.0.2.9', port: 5060 } as const;
    const call: OriginateFacts = {
      kind: 'originate',
      method: 'INVITE',
      from: { user: 'ada', host: 'c1.example' },
      asserted: [],
      called: { user: '1', host: 'c1.example', isHere: false },
      credentials: null,
      source,
      certificateSha256: null,
      isRehearsal: false,
    };
    const challenge = await front.ask(call);
    if (challenge.kind !== 'challenge') throw new Error(challenge.kind);
    const { realm, nonce } = challenge;
    const proof = credentials({
      username: 'ada@c1.example',
      hashedAs: 'ada',
      realm,
      nonce,
      method: 'INVITE',
    });
    expect(await front.ask({ ...call, credentials: proof })).toMatchObject({
      kind: 'admitted',
      caller: { kind: 'subscriber', aor: 'ada@c1.example' },
    });
  });

  it('of a peer serves only once its copy was proven, and grants less time', async () => {
    const { bed, front } = await processor({ role: 'standby', site: 'c2' });
    await front.waitState(({ reason }) => reason === 'PROCESSOR_STANDBY_UNPROVEN');
    expect(await register(front, 'ada')).toMatchObject({ kind: 'refused', status: 503 });
    const proof = (equal: boolean) =>
      bed.database.database.query(
        `insert into proofs (incarnation, seq, hash, rows, equal, differences)
         select incarnation, seq, hash, 1, $1, '[]' from log_head`,
        [equal],
      );
    await proof(true);
    await front.waitState(isServing);
    await proof(false);
    expect(await register(front, 'ada')).toMatchObject({
      kind: 'granted',
      owner: 'c1',
      expiresSeconds: { min: 60, max: 120, default: 120 },
    });
  });

  it('that was filled by a snapshot forgets what it had in memory', async () => {
    const { bed, front } = await processor();
    await front.waitState(isServing);
    expect((await register(front, 'ada')).kind).toBe('granted');
    await bed.database.database.query(`
      alter table subscribers disable trigger guard_change;
      delete from subscribers;
      alter table subscribers enable trigger guard_change;
      insert into snapshots (transfer, scope, incarnation, seq, hash, rows, bytes)
      select gen_random_uuid(), 'all', incarnation, seq, hash, 0, 0 from log_head`);
    await expect.poll(async () => (await register(front, 'ada')).kind, { timeout: 30_000 }).toBe('not-mine');
  });
});

describe('a processor whose database is gone', () => {
  const lock = 'begin; lock table log_head in access exclusive mode';

  it('still registers who is in memory, and refuses others until it is back', async () => {
    const { bed, front } = await processor();
    await bed.put(subscriber, [aUser('bob@c1.example')]);
    await front.waitState(isServing);
    expect((await register(front, 'ada')).kind).toBe('granted');
    {
      await using session = await bed.database.database.session();
      await session.query(lock);
      await expect.poll(async () => (await register(front, 'bob')).kind, { timeout: 30_000 }).toBe('refused');
      expect((await register(front, 'ada')).kind).toBe('granted');
    }
    await expect.poll(async () => (await register(front, 'bob')).kind, { timeout: 30_000 }).toBe('granted');
  });

  it('listens nevertheless, and serves when it comes', async () => {
    const bed = await ProcessorBed.create({ database: 'postgres://nobody@127.0.0.1:1/none' });
    onTestFinished(() => bed[Symbol.asyncDispose]());
    await using _running = await bed.start();
    await using front = await bed.connect();
    expect(await register(front, 'ada')).toMatchObject({ kind: 'refused', status: 503 });
    expect(front.state).toMatchObject({ serving: false, reason: 'PROCESSOR_STARTING', configuration: null });
  });
});

describe('fronts', () => {
  it('may be several, and one that talks nonsense harms no other', async () => {
    const { bed, front } = await processor();
    await front.waitState(isServing);
    await using second = await bed.connect();
    await using third = await bed.connect();
    third.sendRaw({ id: 1, facts: { kind: 'guess' } });
    await third.closed;
    expect((await register(second, 'ada')).kind).toBe('granted');
    expect((await register(front, 'ada')).kind).toBe('granted');
  });

  it('get what they asked before the processor stops, and see it go', async () => {
    const { front, running } = await processor();
    await front.waitState(isServing);
    await running[Symbol.asyncDispose]();
    expect(await front.closed).toBeUndefined();
  });

  it('find the next processor where the last one was killed', async () => {
    const { bed, front, running } = await processor();
    await front.waitState(isServing);
    await running[Symbol.asyncDispose]();
    await using _again = await bed.start();
    await using next = await bed.connect();
    await next.waitState(isServing);
    expect((await register(next, 'ada')).kind).toBe('granted');
  });
});

describe('the diagnostics of a processor', () => {
  it('say what it serves and what it decided', async () => {
    const { bed, front } = await processor();
    await front.waitState(isServing);
    await register(front, 'ada');
    const { host, port } = bed.config.diagnostics;
    const health = await (await fetch(`http://${host}:${port}/health`)).json();
    expect(health).toMatchObject({ healthy: true, owner: 'c1', role: 'home', fronts: 1 });
    const metrics = await (await fetch(`http://${host}:${port}/metrics`)).text();
    expect(metrics).toMatch(/dualhome_decisions_total\{question="register",decision="granted".*\} 1\n/);
  });
});
