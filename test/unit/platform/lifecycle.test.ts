import { describe, expect, test } from 'vitest';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import { backoffMs, RunningState } from '../../../services/platform/lifecycle/backoff.ts';
import { exitCodeOf, exitCodes } from '../../../services/platform/lifecycle/exit-codes.ts';
import { parseFailpoints } from '../../../services/platform/lifecycle/failpoint.ts';
import { ResourceStack } from '../../../services/platform/lifecycle/resource-stack.ts';
import { decideSignal } from '../../../services/platform/lifecycle/stop-signals.ts';
import type { StopSignal } from '../../../services/platform/lifecycle/stop-signals.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const policy = { initialMs: 100, maxMs: 1_000, factor: 2, jitter: 0.5 };

describe('backing off', () => {
  test('waits grow by the factor up to the maximum', () => {
    const waits = [1, 2, 3, 4, 5, 6].map((failures) => backoffMs(policy, failures, 0));
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('jitter only ever shortens a wait, by its share at most', () => {
    expect(backoffMs(policy, 2, 0.999)).toBeCloseTo(100, 0);
    expect(backoffMs({ ...policy, jitter: 0 }, 2, 0.999)).toBe(200);
  });

  test('a thousandth failure still waits the maximum', () => {
    expect(backoffMs(policy, 5_000, 0)).toBe(1_000);
  });

  test('a success makes the next wait the shortest again', async () => {
    const clock = new FakeClock();
    const state = new RunningState({ policy, sleep: clock.sleep, random: () => 0 });
    const waits = [];
    for (const succeeded of [false, false, true, false]) {
      if (succeeded) {
        state.succeeded();
        continue;
      }
      const waited = state.backoff();
      await clock.advance(1_000);
      waits.push(await waited);
    }
    expect(waits).toEqual([100, 200, 100]);
  });

  test('stopping ends a pending wait at once and forbids further ones', async () => {
    const clock = new FakeClock();
    const state = new RunningState({ policy, sleep: clock.sleep });
    const waiting = state.backoff();
    expect(clock.sleepers).toBe(1);
    state.stop();
    await waiting;
    expect(await state.backoff()).toBe(0);
    expect(clock.sleepers).toBe(0);
    expect(state.running).toBe(false);
  });

  test('the parent stops it, it does not stop the parent', () => {
    const parent = new AbortController();
    const child = new RunningState({ parent: parent.signal });
    const sibling = new RunningState({ parent: parent.signal });
    child.stop();
    expect([parent.signal.aborted, sibling.running]).toEqual([false, true]);
    parent.abort();
    expect(sibling.running).toBe(false);
  });
});

describe('signals', () => {
  const seen = (...signals: (readonly [StopSignal, number])[]) => new Map(signals);

  test('the first one stops', () => {
    expect(decideSignal(seen(), 'SIGINT', 5)).toBe('stop');
  });

  test('the same key press delivered twice is one wish', () => {
    expect(decideSignal(seen(['SIGINT', 0]), 'SIGINT', 300)).toBe('ignore');
  });

  test('the same signal later forces', () => {
    expect(decideSignal(seen(['SIGINT', 0]), 'SIGINT', 1_000)).toBe('force');
  });

  test('a supervisor that stops its programs in order forces nobody the terminal has told already', () => {
    expect(decideSignal(seen(['SIGINT', 0]), 'SIGTERM', 5_000)).toBe('ignore');
    expect(decideSignal(seen(['SIGINT', 0], ['SIGTERM', 5_000]), 'SIGTERM', 6_500)).toBe('force');
  });
});

describe('exit codes', () => {
  test('what no retry can help is refused, everything else failed', () => {
    expect(exitCodeOf(new DualhomeError('TLS_FILE_UNREADABLE'))).toBe(exitCodes.refused);
    expect(exitCodeOf(new DualhomeError('POSTGRES_UNREACHABLE'))).toBe(exitCodes.failed);
    expect(exitCodeOf(new TypeError('defect'))).toBe(exitCodes.failed);
  });
});

describe('the resource stack', () => {
  test('releases in reverse order, one after the other, and knows which one it is at', async () => {
    const stack = new ResourceStack();
    const order: (string | undefined)[] = [];
    for (const name of ['database', 'server', 'link']) {
      stack.defer(name, async () => {
        order.push(`${stack.releasing} begins`);
        await Promise.resolve();
        order.push(`${stack.releasing} ends`);
      });
    }
    await stack[Symbol.asyncDispose]();
    expect(order).toEqual(
      ['link', 'server', 'database'].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
    expect(stack.releasing).toBeUndefined();
  });

  test('releases the others when one fails, and reports every failure', async () => {
    const stack = new ResourceStack();
    const released: string[] = [];
    stack.defer('first', () => void released.push('first'));
    stack.defer('second', () => Promise.reject(new Error('second')));
    stack.defer('third', () => {
      throw new Error('third');
    });
    const failure = await stack[Symbol.asyncDispose]().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(released).toEqual(['first']);
    expect(failure).toMatchObject({ error: { message: 'second' }, suppressed: { message: 'third' } });
  });

  test('takes over disposables of both kinds', async () => {
    const stack = new ResourceStack();
    const released: string[] = [];
    const resource = { [Symbol.dispose]: () => void released.push('sync') };
    expect(stack.use('sync', resource)).toBe(resource);
    stack.use('async', { [Symbol.asyncDispose]: async () => void released.push('async') });
    await stack[Symbol.asyncDispose]();
    expect(released).toEqual(['async', 'sync']);
  });
});

describe('failpoints', () => {
  test('are named, with an action and the hit it acts at', () => {
    const points = parseFailpoints('apply.before-commit=kill@3,link.sent=throw');
    expect([...points]).toEqual([
      ['apply.before-commit', { action: 'kill', atHit: 3, hits: 0 }],
      ['link.sent', { action: 'throw', atHit: undefined, hits: 0 }],
    ]);
  });

  test.each(['apply', 'apply=explode', 'apply=kill@0', 'Apply=kill'])('"%s" is refused', (text) => {
    expect(() => parseFailpoints(text)).toThrow('DUALHOME_FAILPOINT');
  });
});
