import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { ResourceStack } from '../../services/platform/lifecycle/resource-stack.ts';
import { DualhomeError } from '../../services/protocol/errors/index.ts';
import type { Peer, PeerLog, SynchronizerContext } from '../../services/synchronizer/ports.ts';
import { createSynchronizer } from '../../services/synchronizer/synchronizer.ts';
import { rewind } from '../support/rewind.ts';
import { SyncPair } from '../support/sync-pair.ts';
import type { SyncSite } from '../support/sync-pair.ts';

const answered = z.strictObject({ text: z.string() });

/** The synchronizer of one site in this process, with its own peer at hand. */
type Running = { readonly context: SynchronizerContext; readonly peer: Peer } & AsyncDisposable;

async function run(site: SyncSite): Promise<Running> {
  const stack = new ResourceStack();
  const log = createLogger({ program: 'synchronizer', site: site.name, level: 'silent' });
  const { context, start } = await createSynchronizer(site.config, { log, stack });
  await start();
  const [peer] = context.peers.values();
  if (!peer) throw new Error('no peer');
  return { context, peer, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}

/** Its lanes of the configuration log. */
function configurationOf({ logs }: Peer): PeerLog {
  const lanes = logs.get('configuration');
  if (!lanes) throw new Error('no lanes');
  return lanes;
}

/** Both sites in this process, linked. */
async function runBoth(pair: SyncPair) {
  await using stack = new AsyncDisposableStack();
  const c1 = stack.use(await run(pair.c1));
  const c2 = stack.use(await run(pair.c2));
  const signal = AbortSignal.timeout(30_000);
  await Promise.all([c1.peer.link.whenUp(signal), c2.peer.link.whenUp(signal)]);
  const moved = stack.move();
  return { c1, c2, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

const ask = ({ peer }: Running, method: string, params: unknown = {}, timeoutMs = 10_000) =>
  peer.link.request(method, params, answered, { timeoutMs });

describe('control requests', () => {
  it('are answered by the handler of the peer, either way', async () => {
    await using pair = await SyncPair.create();
    await using both = await runBoth(pair);
    for (const [site, other] of [
      [both.c1, both.c2],
      [both.c2, both.c1],
    ] as const) {
      const params = z.strictObject({ text: z.string() });
      other.context.handlers.register('echo', params, async ({ text }, { peer }) => ({
        text: `${text} ${peer}`,
      }));
      await expect(ask(site, 'echo', { text: 'hello' })).resolves.toEqual({
        text: `hello ${other.peer.config.name}`,
      });
    }
  });

  it('fail under the code of what went wrong at the peer', async () => {
    await using pair = await SyncPair.create();
    await using both = await runBoth(pair);
    const { c1, c2 } = both;
    const nothing = z.strictObject({});
    c2.context.handlers.register('refuse', nothing, () =>
      Promise.reject(new DualhomeError('LOG_FENCED', { detail: 'no', facts: { a: 1 } })),
    );
    c2.context.handlers.register('fail', nothing, () => Promise.reject(new Error('a defect')));
    c2.context.handlers.register('misfit', nothing, async () => ({ text: 1 }));
    c2.context.handlers.register('huge', nothing, async () => ({ text: 'x'.repeat(17 * 1024 * 1024) }));
    c2.context.handlers.register('never', nothing, () => new Promise(() => undefined));
    await expect(ask(c1, 'refuse')).rejects.toMatchObject({
      code: 'LOG_FENCED',
      detail: 'no',
      facts: { a: 1, saidBy: 'peer' },
    });
    await expect(ask(c1, 'fail')).rejects.toMatchObject({ code: 'LINK_REQUEST_FAILED', detail: 'a defect' });
    await expect(ask(c1, 'misfit')).rejects.toMatchObject({ code: 'LINK_REQUEST_INVALID' });
    await expect(ask(c1, 'huge')).rejects.toMatchObject({ code: 'LINK_FRAME_INVALID' });
    await expect(ask(c1, 'unheard-of')).rejects.toMatchObject({ code: 'LINK_REQUEST_UNKNOWN' });
    await expect(ask(c1, 'refuse', { more: 1 })).rejects.toMatchObject({ code: 'LINK_REQUEST_INVALID' });
    await expect(ask(c1, 'never', {}, 50)).rejects.toMatchObject({ code: 'LINK_REQUEST_TIMEOUT' });
    const gaveUp = new AbortController();
    const waiting = c1.peer.link.request('never', {}, answered, { signal: gaveUp.signal });
    gaveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('beyond what a peer may have open are refused, and answered again when others are done', async () => {
    await using pair = await SyncPair.create();
    await using both = await runBoth(pair);
    const done = Promise.withResolvers<{ text: string }>();
    both.c2.context.handlers.register('wait', z.strictObject({}), () => done.promise);
    const open = Array.from({ length: 32 }, () => ask(both.c1, 'wait'));
    await expect(ask(both.c1, 'wait')).rejects.toMatchObject({ code: 'LINK_REQUESTS_MAX' });
    done.resolve({ text: 'done' });
    await expect(Promise.all(open)).resolves.toHaveLength(32);
    await expect(ask(both.c1, 'wait')).resolves.toEqual({ text: 'done' });
  });

  it('fail at once when the link goes down, and while it is', async () => {
    await using pair = await SyncPair.create();
    await using both = await runBoth(pair);
    const { c1, c2 } = both;
    const aborted = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    c2.context.handlers.register('never', z.strictObject({}), (_params, { signal }) => {
      signal.addEventListener('abort', () => aborted.resolve());
      asked.resolve();
      return new Promise(() => undefined);
    });
    const changes: boolean[] = [];
    using _listener = c1.peer.link.onChange((up) => changes.push(up));
    const waiting = ask(c1, 'never');
    const failed = waiting.catch((error: unknown) => error);
    await asked.promise;
    pair.network.refuse();
    pair.network.cut('rst');
    expect(await failed).toMatchObject({ code: 'LINK_DOWN' });
    await aborted.promise;
    await expect(ask(c1, 'never')).rejects.toMatchObject({ code: 'LINK_DOWN' });
    pair.network.refuse(false);
    await c1.peer.link.whenUp(AbortSignal.timeout(30_000));
    expect(changes).toEqual([false, true]);
  });
});

describe('the lane of a peer', () => {
  it('stands still at exactly the seq asked for, and goes on afterwards', async () => {
    await using pair = await SyncPair.create();
    await using both = await runBoth(pair);
    const lane = configurationOf(both.c2.peer).apply;
    if (!lane) throw new Error('no lane');
    const signal = AbortSignal.timeout(30_000);
    const seen = lane.at(137, async ({ seq }) => ({ seq, again: (await lane.cursor()).seq }), signal);
    const { seq } = await pair.c1.append(400, { perCommit: 100 });
    expect(await seen).toEqual({ seq: 137, again: 137 });
    expect(await lane.at(seq, async (cursor) => cursor.seq, signal)).toBe(seq);
    await expect(lane.at(200, async () => undefined, signal)).rejects.toMatchObject({
      code: 'LINK_MARK_PASSED',
    });
  });

  it('applies nothing while somebody has it, who may move its cursor, and goes on from there', async () => {
    await using pair = await SyncPair.create();
    await using both = await runBoth(pair);
    const lane = configurationOf(both.c2.peer).apply;
    if (!lane) throw new Error('no lane');
    const signal = AbortSignal.timeout(30_000);
    await lane.exclusive(async (cursor) => {
      expect(cursor.seq).toBe(0);
      await pair.c1.append(50);
      await expect.poll(async () => configurationOf(both.c1.peer).send?.applied).toBe(0);
      expect((await lane.cursor()).seq).toBe(0);
    });
    await lane.at(51, async () => undefined, signal);
    await lane.exclusive(() => rewind(pair.c2.standby, 20));
    await lane.at(51, async () => undefined, signal);
    expect(await pair.c2.openAlarms()).toEqual([]);
  });

  it('is held off from sending while somebody looks at what was sent', async () => {
    await using pair = await SyncPair.create();
    await using both = await runBoth(pair);
    const { apply } = configurationOf(both.c2.peer);
    const { send } = configurationOf(both.c1.peer);
    const signal = AbortSignal.timeout(30_000);
    await pair.c1.append(10);
    await apply?.at(11, async () => undefined, signal);
    await send?.hold(async (sent) => {
      expect(sent).toBe(11);
      await pair.c1.append(10, { first: 100 });
      expect((await apply?.cursor())?.seq).toBe(11);
    });
    await apply?.at(21, async () => undefined, signal);
  });

  it('gives up waiting for a seq when asked to, and goes on beyond it', async () => {
    await using pair = await SyncPair.create();
    await using both = await runBoth(pair);
    const lane = configurationOf(both.c2.peer).apply;
    const giveUp = new AbortController();
    const waiting = lane?.at(30, async () => undefined, giveUp.signal);
    await pair.c1.append(10);
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const { seq } = await pair.c1.append(40, { first: 100 });
    await lane?.at(seq, async () => undefined, AbortSignal.timeout(30_000));
  });
});
