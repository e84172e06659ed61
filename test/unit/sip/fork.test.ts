import { describe, expect, test } from 'vitest';
import { bestResponse } from '../../../services/sip/proxy/best-response.ts';
import { cancelWaitMs, isForkOver, startFork, stepFork, timerCMs } from '../../../services/sip/proxy/fork.ts';
import type { Fork, ForkInput, ForkOutput } from '../../../services/sip/proxy/fork-state.ts';

/** A fork to named targets, with responses named by status and target; outputs in words. */
class ForkTester {
  fork: Fork<string, string>;
  readonly started: string[];

  constructor(groups: readonly (readonly string[])[], isInvite = true) {
    const { fork, outputs } = startFork<string, string>(groups, isInvite);
    this.fork = fork;
    this.started = inWords(outputs);
  }

  do(input: ForkInput<string, string>): string[] {
    const { fork, outputs } = stepFork(this.fork, input);
    this.fork = fork;
    return inWords(outputs);
  }

  /** Lets a branch receive a response. */
  receive(branch: number, status: number): string[] {
    return this.do({ kind: 'response', branch, status, response: `${status} of ${branch}` });
  }
}

function inWords(outputs: readonly ForkOutput<string, string>[]): string[] {
  return outputs.map((output) => {
    switch (output.kind) {
      case 'forward':
        return `forward ${output.branch} to ${output.target}`;
      case 'relay':
        return `relay ${output.response}`;
      case 'answer':
        return ['answer', output.response ?? output.status, ...output.challenges].join(' ');
      case 'set-timer':
        return `set ${output.branch} ${output.ms}`;
      case 'clear-timer':
        return `clear ${output.branch}`;
      case 'cancel':
      case 'quieten':
        return `${output.kind} ${output.branch}`;
    }
  });
}

/** Without the timers, which have their own tests. */
const quiet = (words: string[]) => words.filter((word) => !/^(set|clear)/.test(word));

describe('a fork', () => {
  test('goes to all targets of a group at once', () => {
    expect(quiet(new ForkTester([['a', 'b']]).started)).toEqual(['forward 0 to a', 'forward 1 to b']);
  });

  test('relays 101 to 199 of every branch and never a 100', () => {
    const fork = new ForkTester([['a', 'b']]);
    expect(quiet(fork.receive(0, 100))).toEqual([]);
    expect(quiet(fork.receive(0, 180))).toEqual(['relay 180 of 0']);
    expect(quiet(fork.receive(1, 183))).toEqual(['relay 183 of 1']);
  });

  test('relays the first 200 and cancels the others, at once or as soon as they may be cancelled', () => {
    const fork = new ForkTester([['a', 'b', 'c']]);
    fork.receive(0, 180);
    fork.receive(1, 180);
    expect(quiet(fork.receive(0, 200))).toEqual(['relay 200 of 0', 'cancel 1', 'quieten 2']);
    expect(quiet(fork.receive(2, 180))).toEqual(['cancel 2']);
    expect(quiet(fork.receive(1, 487))).toEqual([]);
    expect(isForkOver(fork.fork)).toBe(false);
    expect(quiet(fork.receive(2, 487))).toEqual([]);
    expect(isForkOver(fork.fork)).toBe(true);
  });

  test('relays every further 200 to INVITE, retransmitted ones too', () => {
    const fork = new ForkTester([['a', 'b']]);
    fork.receive(1, 180);
    expect(quiet(fork.receive(0, 200))).toEqual(['relay 200 of 0', 'cancel 1']);
    expect(quiet(fork.receive(1, 200))).toEqual(['relay 200 of 1']);
    expect(quiet(fork.receive(0, 200))).toEqual(['relay 200 of 0']);
  });

  test('relays one 200 only to other requests, which are not cancelled', () => {
    const fork = new ForkTester([['a', 'b']], false);
    expect(fork.receive(0, 100)).toEqual([]);
    expect(fork.receive(0, 200)).toEqual(['relay 200 of 0']);
    expect(fork.receive(1, 200)).toEqual([]);
    expect(isForkOver(fork.fork)).toBe(true);
  });

  test('answers with the best failure when all have failed', () => {
    const fork = new ForkTester([['a', 'b']]);
    expect(quiet(fork.receive(0, 404))).toEqual([]);
    expect(quiet(fork.receive(1, 302))).toEqual(['answer 302 of 1']);
  });

  test('goes on to the next group when all of one have failed', () => {
    const fork = new ForkTester([['a', 'b'], [], ['c']]);
    fork.receive(0, 486);
    expect(quiet(fork.receive(1, 480))).toEqual(['forward 2 to c']);
    expect(quiet(fork.receive(2, 503))).toEqual(['answer 486 of 0']);
  });

  test('ends with a 6xx: others are cancelled, further groups not tried, the 6xx answered when all have ended', () => {
    const fork = new ForkTester([['a', 'b'], ['c']]);
    fork.receive(1, 180);
    expect(quiet(fork.receive(0, 603))).toEqual(['cancel 1']);
    expect(quiet(fork.do({ kind: 'add', target: 'd' }))).toEqual([]);
    expect(quiet(fork.receive(1, 487))).toEqual(['answer 603 of 0']);
  });

  test('to nobody is answered 480', () => {
    expect(new ForkTester([]).started).toEqual(['answer 480']);
  });

  test('takes in a target that becomes known meanwhile, and none when it is over', () => {
    const fork = new ForkTester([['a']]);
    expect(quiet(fork.do({ kind: 'add', target: 'late' }))).toEqual(['forward 1 to late']);
    expect(quiet(fork.receive(0, 404))).toEqual([]);
    expect(quiet(fork.receive(1, 200))).toEqual(['relay 200 of 1']);
    expect(fork.do({ kind: 'add', target: 'later' })).toEqual([]);
  });

  test('is a value: a step leaves the one before as it was', () => {
    const { fork } = startFork<string, string>([['a']], true);
    const before = structuredClone(fork);
    stepFork(fork, { kind: 'response', branch: 0, status: 200, response: 'x' });
    expect(fork).toEqual(before);
    expect(stepFork(fork, { kind: 'timeout', branch: 7 }).outputs).toEqual([]);
  });
});

describe('CANCEL from upstream', () => {
  test('goes to every branch that has answered, waits for the others, and ends in 487', () => {
    const fork = new ForkTester([['a', 'b'], ['c']]);
    fork.receive(0, 180);
    expect(quiet(fork.do({ kind: 'cancel' }))).toEqual(['cancel 0']);
    expect(quiet(fork.receive(1, 100))).toEqual(['cancel 1']);
    expect(quiet(fork.receive(0, 487))).toEqual([]);
    expect(quiet(fork.receive(1, 486))).toEqual(['answer 487 of 0']);
  });

  test('that meets a 200 loses: the 200 is relayed', () => {
    const fork = new ForkTester([['a']]);
    fork.receive(0, 180);
    expect(quiet(fork.do({ kind: 'cancel' }))).toEqual(['cancel 0']);
    expect(quiet(fork.receive(0, 200))).toEqual(['relay 200 of 0']);
  });

  test('after the answer does nothing', () => {
    const fork = new ForkTester([['a']]);
    fork.receive(0, 200);
    expect(fork.do({ kind: 'cancel' })).toEqual([]);
  });

  test('is sent once to each branch', () => {
    const fork = new ForkTester([['a']]);
    fork.receive(0, 180);
    fork.do({ kind: 'cancel' });
    expect(fork.do({ kind: 'cancel' })).toEqual([]);
    expect(fork.receive(0, 183)).toEqual(['relay 183 of 0']);
  });

  test('counts a branch without answer as 487', () => {
    const fork = new ForkTester([['a']]);
    fork.do({ kind: 'cancel' });
    expect(quiet(fork.do({ kind: 'timeout', branch: 0 }))).toEqual(['answer 487']);
  });
});

describe('time and transport', () => {
  test('Timer C runs from the start and is set again by 101 to 199', () => {
    const fork = new ForkTester([['a']]);
    expect(timerCMs).toBeGreaterThan(180_000);
    expect(fork.started).toEqual(['forward 0 to a', `set 0 ${timerCMs}`]);
    expect(fork.receive(0, 100)).toEqual([]);
    expect(fork.receive(0, 180)).toEqual([`set 0 ${timerCMs}`, 'relay 180 of 0']);
    expect(fork.receive(0, 486)).toEqual(['clear 0', 'answer 486 of 0']);
  });

  test('Timer C cancels a branch that rings; one that does not answer the CANCEL either is given up', () => {
    const fork = new ForkTester([['a']]);
    fork.receive(0, 180);
    expect(fork.do({ kind: 'timer', branch: 0 })).toEqual(['cancel 0', `set 0 ${cancelWaitMs}`]);
    expect(fork.receive(0, 180)).toEqual(['relay 180 of 0']);
    expect(fork.do({ kind: 'timer', branch: 0 })).toEqual(['clear 0', 'answer 408']);
    expect(isForkOver(fork.fork)).toBe(true);
  });

  test('Timer C ends a branch that is silent', () => {
    const fork = new ForkTester([['a']]);
    expect(quiet(fork.do({ kind: 'timer', branch: 0 }))).toEqual(['answer 408']);
  });

  test('Timer C then 487: the call was not answered in time', () => {
    const fork = new ForkTester([['a']]);
    fork.receive(0, 180);
    fork.do({ kind: 'timer', branch: 0 });
    expect(quiet(fork.receive(0, 487))).toEqual(['answer 487 of 0']);
  });

  test('a timeout is a 408, a transport error a 503, which is answered as 500', () => {
    expect(quiet(new ForkTester([['a']]).do({ kind: 'timeout', branch: 0 }))).toEqual(['answer 408']);
    expect(quiet(new ForkTester([['a']]).do({ kind: 'transport-error', branch: 0 }))).toEqual(['answer 500']);
  });

  test('other requests have no Timer C', () => {
    const fork = new ForkTester([['a']], false);
    expect(fork.started).toEqual(['forward 0 to a']);
    expect(fork.do({ kind: 'timeout', branch: 0 })).toEqual(['answer 408']);
  });
});

describe('a branch that is not waited for any longer', () => {
  test('lets the next group go ahead; still silent it is asked no more, and cancelled when it speaks', () => {
    const fork = new ForkTester([['a'], ['b']]);
    expect(quiet(fork.do({ kind: 'abandon', branch: 0 }))).toEqual(['quieten 0', 'forward 1 to b']);
    expect(quiet(fork.receive(0, 180))).toEqual(['cancel 0']);
    expect(quiet(fork.receive(0, 487))).toEqual([]);
    expect(quiet(fork.receive(1, 486))).toEqual(['answer 486 of 1']);
  });

  test('that rings is cancelled at once', () => {
    const fork = new ForkTester([['a'], ['b']]);
    fork.receive(0, 180);
    expect(quiet(fork.do({ kind: 'abandon', branch: 0 }))).toEqual(['cancel 0', 'forward 1 to b']);
    expect(fork.do({ kind: 'abandon', branch: 0 })).toEqual([]);
  });

  test('that answers after all is relayed, and the others are cancelled', () => {
    const fork = new ForkTester([['a'], ['b']]);
    fork.do({ kind: 'abandon', branch: 0 });
    fork.receive(1, 180);
    expect(quiet(fork.receive(0, 200))).toEqual(['relay 200 of 0', 'cancel 1']);
  });

  test('and has ended already changes nothing', () => {
    const fork = new ForkTester([['a', 'b']]);
    fork.receive(0, 404);
    expect(fork.do({ kind: 'abandon', branch: 0 })).toEqual([]);
    expect(quiet(fork.receive(0, 180))).toEqual([]);
  });
});

describe('the best response (RFC 3261 section 16.7 step 6)', () => {
  const best = (statuses: number[], isCancelled = false) =>
    bestResponse(
      statuses.map((status) => ({ status, response: String(status) })),
      isCancelled,
    );

  test.each([
    [[404, 603, 302], 603],
    [[500, 404], 404],
    [[404, 302], 302],
    [[486, 401], 401],
    [[404, 420], 420],
    [[408, 486], 486],
    [[487, 480], 480],
    [[503, 501], 501],
    [[486, 404], 486],
  ])('of %j is %i', (statuses, status) => {
    expect(best(statuses)).toMatchObject({ status, response: String(status) });
  });

  test('is not a 503, which speaks of another element', () => {
    expect(best([503, 503])).toEqual({ status: 500, challenges: [] });
  });

  test('is a real one rather than a missing one', () => {
    expect(bestResponse([{ status: 408 }, { status: 408, response: 'x' }], false).response).toBe('x');
  });

  test('is 487 for a cancelled request', () => {
    expect(best([401, 486, 487], true).status).toBe(487);
  });

  test('of 401 and 407 brings all challenges along', () => {
    expect(best([407, 404, 401, 401])).toEqual({ status: 407, response: '407', challenges: ['401', '401'] });
  });
});
