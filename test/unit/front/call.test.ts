import { describe, expect, it } from 'vitest';
import { CallTester, flowTo, hopTo, peerFlowTo } from '../../support/call-tester.ts';

const nowhere = (status: number) =>
  ({ kind: 'nowhere', refusal: { kind: 'refused', status, reason: 'because' } }) as const;

describe('a call to a subscriber', () => {
  it('rings every device at once; the first 2xx wins and the others are cancelled', () => {
    const call = new CallTester();
    expect(call.start()).toEqual(['locate 0 bob']);
    expect(call.found(0, 'bob', [[flowTo('desk')], [flowTo('cell')]])).toEqual([
      'forward 1 flow:desk',
      'forward 2 flow:cell',
    ]);
    expect(call.respond(1, 180)).toEqual(['relay 180 of 1']);
    expect(call.respond(2, 180)).toEqual(['relay 180 of 2']);
    expect(call.respond(2, 200)).toEqual(['relay 200 of 2', 'cancel 1']);
    expect(call.respond(1, 487)).toEqual([]);
    expect(call.call.isOver).toBe(true);
  });

  it('tries bindings of one device one after the other, the next when one is not reached', () => {
    const call = new CallTester();
    call.start();
    expect(call.found(0, 'bob', [[flowTo('desk'), peerFlowTo('desk')]])).toEqual([
      'forward 1 flow:desk',
      'set silence 1',
    ]);
    expect(call.step({ kind: 'unsendable', branch: 1 })).toEqual([
      'clear silence 1',
      'forward 2 peer:desk',
      'set silence 2',
    ]);
    expect(call.respond(2, 430)).toEqual(['clear silence 2', 'answer 480']);
  });

  it.each([
    ['a flow that failed', (call: CallTester) => call.respond(1, 430)],
    ['silence', (call: CallTester) => call.step({ kind: 'silent', branch: 1 })],
    ['a transaction timeout', (call: CallTester) => call.step({ kind: 'timeout', branch: 1 })],
  ])('goes on to the next binding after %s', (_, fail) => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[peerFlowTo('desk'), flowTo('desk')]]);
    expect(fail(call)).toContain('forward 2 flow:desk');
  });

  it.each([486, 404, 603, 302, 500])('lets a device answer %i for all its bindings', (status) => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk'), peerFlowTo('desk')]]);
    expect(call.respond(1, status)).toEqual(['clear silence 1', `answer ${status} of 1`]);
  });

  it('is answered 480 where nobody is registered, 404 where nobody is', () => {
    const unregistered = new CallTester();
    unregistered.start();
    expect(unregistered.found(0, 'bob', [])).toEqual(['answer 480']);
    const unknown = new CallTester();
    unknown.start();
    expect(unknown.located(0, nowhere(404))).toEqual(['answer 404']);
  });

  it('is answered 480, not 408 or 500, where no device is reached', () => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk')], [flowTo('cell')]]);
    call.step({ kind: 'timeout', branch: 1 });
    expect(call.step({ kind: 'unsendable', branch: 2 })).toEqual(['answer 480']);
  });

  it('reaches a device that registers while the others ring', () => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk')]]);
    expect(call.step({ kind: 'registered', target: flowTo('cell') })).toEqual(['forward 2 flow:cell']);
    expect(call.step({ kind: 'registered', target: flowTo('cell') })).toEqual([]);
    expect(call.step({ kind: 'registered', target: flowTo('hers', 'carol@example.com') })).toEqual([]);
    expect(call.respond(2, 200)).toEqual(['relay 200 of 2', 'quieten 1']);
    expect(call.step({ kind: 'registered', target: flowTo('third') })).toEqual([]);
  });

  it('reaches a device again that registers anew after it was not reached', () => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk')], [flowTo('cell')]]);
    call.step({ kind: 'unsendable', branch: 1 });
    expect(call.step({ kind: 'registered', target: flowTo('desk') })).toEqual(['forward 3 flow:desk']);
  });
});

describe('a call that is cancelled', () => {
  it('cancels what rings and answers 487', () => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk'), peerFlowTo('desk')]], { busy: 'carol' });
    call.respond(1, 180);
    expect(call.step({ kind: 'cancel' })).toEqual(['cancel 1']);
    expect(call.respond(1, 487)).toEqual(['answer 487 of 1']);
  });

  it('ends at once while the callee is looked up, and what is found is not tried', () => {
    const call = new CallTester();
    call.start();
    expect(call.step({ kind: 'cancel' })).toEqual(['answer 487']);
    expect(call.found(0, 'bob', [[flowTo('desk')]])).toEqual([]);
  });

  it('is not forwarded, though its devices fail', () => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk')]], { unreachable: 'carol' });
    call.step({ kind: 'cancel' });
    expect(call.step({ kind: 'timeout', branch: 1 })).toEqual(['answer 487']);
  });
});

describe('a call that is forwarded', () => {
  it('always: rings nobody', () => {
    const call = new CallTester();
    call.start();
    expect(call.found(0, 'bob', [[flowTo('desk')]], { always: 'carol' })).toEqual(['locate 1 carol']);
    expect(call.found(1, 'carol', [[flowTo('hers')]])).toEqual(['forward 2 flow:hers after bob always']);
  });

  it.each([486, 600])('when busy (%i), once the last device has answered', (status) => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk')], [flowTo('cell')]], { busy: 'carol' });
    expect(call.respond(1, 486)).toEqual([]);
    expect(call.respond(2, status)).toEqual(['locate 3 carol']);
    expect(call.found(3, 'carol', [[flowTo('hers')]])).toEqual(['forward 4 flow:hers after bob busy']);
    expect(call.respond(4, 200)).toEqual(['relay 200 of 4']);
  });

  it('when nobody answers: what rang is cancelled, and may still win while it is', () => {
    const call = new CallTester();
    call.start();
    expect(call.found(0, 'bob', [[flowTo('desk')]], { noAnswer: 'carol' })).toEqual([
      'forward 1 flow:desk',
      'ring party 0 for 7000 ms',
    ]);
    call.respond(1, 180);
    expect(call.step({ kind: 'not-answered', party: 0 })).toEqual(['locate 2 carol', 'cancel 1']);
    expect(call.respond(1, 200)).toEqual(['relay 200 of 1']);
    expect(call.found(2, 'carol', [[flowTo('hers')]])).toEqual([]);
  });

  it('when no device is reached, or none is registered', () => {
    const silent = new CallTester();
    silent.start();
    silent.found(0, 'bob', [[flowTo('desk')]], { unreachable: 'carol' });
    expect(silent.step({ kind: 'timeout', branch: 1 })).toEqual(['locate 2 carol']);
    const unregistered = new CallTester();
    unregistered.start();
    expect(unregistered.found(0, 'bob', [], { unreachable: 'carol' })).toEqual(['locate 1 carol']);
  });

  it('not when a device declines, nor when no forwarding is for the case', () => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk')]], { busy: 'carol', unreachable: 'carol' });
    expect(call.respond(1, 603)).toEqual(['answer 603 of 1']);
    const other = new CallTester();
    other.start();
    other.found(0, 'bob', [[flowTo('desk')]], { unreachable: 'carol' });
    expect(other.respond(1, 486)).toEqual(['answer 486 of 1']);
  });

  it('tells the failure of the first callee where the next one is nobody', () => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [[flowTo('desk')]], { busy: 'nobody' });
    call.respond(1, 486);
    expect(call.located(2, nowhere(404))).toEqual(['answer 486 of 1']);
  });

  it('never in a circle', () => {
    const call = new CallTester();
    call.start();
    call.found(0, 'bob', [], { always: 'carol' });
    call.found(1, 'carol', [], { always: 'bob' });
    expect(call.found(2, 'bob', [], { always: 'carol' })).toEqual(['answer 482']);
  });

  it('at most five times, those before it came here included', () => {
    for (const [earlier, allowed] of [
      [0, 5],
      [3, 2],
      [7, 0],
    ] as const) {
      const call = new CallTester({ earlierForwardings: earlier });
      call.start('user0');
      for (let count = 0; count < allowed; count++) {
        expect(call.found(count, `user${count}`, [], { always: `user${count + 1}` })).toEqual([
          `locate ${count + 1} user${count + 1}`,
        ]);
      }
      expect(call.found(allowed, `user${allowed}`, [], { always: 'on' })).toEqual(['answer 480']);
    }
  });
});

describe('a call that leaves by a route', () => {
  const leaving = (...hosts: [string, ...string[]]) => {
    const [first, ...others] = hosts.map((host) => hopTo(host));
    if (!first) throw new Error('no hop');
    const call = new CallTester();
    call.start();
    return { call, first: call.located(0, { kind: 'outward', chain: [first, ...others] }) };
  };

  it('takes the next hop after silence, an error of the first, or a 503', () => {
    const failures = [
      [(call: CallTester) => call.step({ kind: 'silent', branch: 1 }), 'quieten 1'],
      [(call: CallTester) => call.step({ kind: 'unsendable', branch: 1 })],
      [(call: CallTester) => call.respond(1, 503)],
      [(call: CallTester) => call.respond(1, 500)],
    ] as const;
    for (const [fail, ...last] of failures) {
      const { call, first } = leaving('a', 'b');
      expect(first).toEqual(['forward 1 sip:a', 'set silence 1']);
      expect(fail(call)).toEqual(['clear silence 1', 'forward 2 sip:b', 'set silence 2', ...last]);
    }
  });

  it('stays with a hop that gave a provisional answer', () => {
    const { call } = leaving('a', 'b');
    expect(call.respond(1, 100)).toEqual(['clear silence 1']);
    expect(call.respond(1, 486)).toEqual(['answer 486 of 1']);
  });

  it('is answered 504 where every hop was silent, 500 where the last said 503', () => {
    const silent = leaving('a', 'b');
    silent.call.step({ kind: 'silent', branch: 1 });
    expect(silent.call.step({ kind: 'silent', branch: 2 })).toEqual([
      'clear silence 2',
      'quieten 2',
      'answer 504',
    ]);
    const unavailable = leaving('a', 'b');
    unavailable.call.step({ kind: 'silent', branch: 1 });
    expect(unavailable.call.respond(2, 503)).toEqual(['clear silence 2', 'answer 500']);
  });
});

describe('a request other than INVITE', () => {
  it('is forked too, without timers for silence or ringing', () => {
    const call = new CallTester({ isInvite: false });
    call.start();
    expect(call.found(0, 'bob', [[flowTo('desk'), peerFlowTo('desk')]], { noAnswer: 'carol' })).toEqual([
      'forward 1 flow:desk',
    ]);
    expect(call.step({ kind: 'timeout', branch: 1 })).toEqual(['forward 2 peer:desk']);
    expect(call.respond(2, 200)).toEqual(['relay 200 of 2']);
  });

  it('in a dialog goes to known targets, and is answered 480 where there are none', () => {
    const call = new CallTester({ isInvite: false });
    expect(call.startWith([flowTo('desk')])).toEqual(['forward 0 flow:desk']);
    expect(call.respond(0, 200)).toEqual(['relay 200 of 0']);
    expect(new CallTester({ isInvite: false }).startWith()).toEqual(['answer 480']);
  });
});
