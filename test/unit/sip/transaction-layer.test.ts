import { describe, expect, test } from 'vitest';
import { buildAck, buildCancel } from '../../../services/sip/message/request.ts';
import { serverKey } from '../../../services/sip/transaction/key.ts';
import { KeptBytes } from '../../../services/sip/transaction/kept-bytes.ts';
import { Linked } from '../../../services/platform/collections/linked-list.ts';
import { TimerWheel } from '../../../services/sip/transaction/timer-wheel.ts';
import { aRequest, asRequest, responseTo, torture } from '../../support/sip-messages.ts';
import { TransactionTester } from '../../support/sip-transactions.ts';

const invite = aRequest('INVITE');
const options = aRequest('OPTIONS');
const ack = (fields: Record<string, string> = {}) => aRequest('ACK', { fields });

describe('time', () => {
  test('an unanswered INVITE goes out seven times, ever more slowly, and is given up after 64 T1', () => {
    const tester = new TransactionTester();
    tester.send(invite);
    const words = tester.elapse(60_000).filter((word) => !word.includes('set '));
    expect(words).toEqual([
      ...[500, 1500, 3500, 7500, 15_500, 31_500].map((ms) => `${ms} send INVITE`),
      '32000 clear A',
      '32000 timeout',
      '32000 terminated',
    ]);
  });

  test('an unanswered OPTIONS goes out every T2 at the slowest', () => {
    const tester = new TransactionTester();
    tester.send(options);
    const words = tester.elapse(60_000).filter((word) => word.endsWith('send OPTIONS'));
    const seconds = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5];
    expect(words).toEqual(seconds.map((s) => `${s * 1000} send OPTIONS`));
  });

  test('a provisional response slows a non-INVITE request down to T2', () => {
    const tester = new TransactionTester();
    tester.send(options);
    tester.receiveResponse(responseTo(options, 100));
    const words = tester.elapse(13_000).filter((word) => word.endsWith('send OPTIONS'));
    expect(words).toEqual([
      '500 send OPTIONS',
      '4500 send OPTIONS',
      '8500 send OPTIONS',
      '12500 send OPTIONS',
    ]);
  });

  test('a refused INVITE whose ACK is lost is refused again, up to T2 apart, and reported after 64 T1', () => {
    const tester = new TransactionTester();
    const transaction = tester.receiveNew(invite);
    tester.respond(transaction, invite, 486);
    const words = tester.elapse(60_000).filter((word) => !word.includes('set '));
    const sent = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    expect(words).toEqual([
      ...sent.map((ms) => `${ms} send 486`),
      '32000 clear G',
      '32000 timeout',
      '32000 terminated',
    ]);
  });

  test('an INVITE whose user is silent for 200 ms gets a 100, and only then', () => {
    const tester = new TransactionTester();
    tester.receiveNew(invite);
    expect(tester.receive(invite)).toEqual([]);
    expect(tester.elapse(1_000)).toEqual(['200 send 100']);
    expect(tester.receive(invite)).toEqual(['send 100']);

    const answered = new TransactionTester();
    answered.respond(answered.receiveNew(invite), invite, 180);
    expect(answered.elapse(1_000)).toEqual([]);
    expect(answered.receive(invite)).toEqual(['send 180']);
  });
});

describe('ACK', () => {
  test('for a failure belongs to its INVITE; lost, it is sent again for every retransmission of the response', () => {
    const tester = new TransactionTester();
    tester.send(invite);
    const busy = responseTo(invite, 486);
    expect(tester.receiveResponse(busy)).toContain('send ACK');
    expect(tester.receiveResponse(busy)).toEqual(['send ACK']);
    const sent = tester.outputs.filter((output) => output.kind === 'send').at(-1);
    if (sent?.kind !== 'send') throw new Error('nothing sent');
    expect(sent.bytes.equals(buildAck(invite, busy))).toBe(true);

    const server = new TransactionTester();
    server.respond(server.receiveNew(invite), invite, 486);
    expect(server.receive(asRequest(sent.bytes))).toContain('set I 5000');
    expect(server.receive(asRequest(sent.bytes))).toEqual([]);
  });

  test('for a 2xx has a transaction of its own and goes to the user', () => {
    const tester = new TransactionTester();
    tester.respond(tester.receiveNew(invite), invite, 200);
    expect(tester.receive(ack({ Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKother' }))).toEqual([
      'to user ACK',
    ]);
    expect(tester.receive(invite)).toEqual([]);
  });

  test('that nobody waits for goes to the user', () => {
    expect(new TransactionTester().receive(ack())).toEqual(['to user ACK']);
  });
});

describe('what a transaction keeps', () => {
  test('of a request that was sent: nothing but an INVITE that may need another ACK', () => {
    const tester = new TransactionTester();
    const answered = tester.send(invite);
    expect(answered.request).toBeDefined();
    tester.receiveResponse(responseTo(invite, 200));
    expect([answered.state, answered.request, answered.bytes]).toEqual(['accepted', undefined, undefined]);
    const refusing = new TransactionTester();
    const refused = refusing.send(invite);
    refusing.receiveResponse(responseTo(invite, 486));
    expect([refused.state, refused.request, refused.bytes]).toEqual(['completed', invite, undefined]);
    const other = tester.send(options);
    tester.receiveResponse(responseTo(options, 200));
    expect([other.state, other.request, other.bytes]).toEqual(['completed', undefined, undefined]);
  });

  test('of one that was received: the response, while the request may come again', () => {
    const tester = new TransactionTester();
    const call = tester.receiveNew(invite);
    tester.respond(call, invite, 200);
    expect([call.state, call.request, call.response]).toEqual(['accepted', undefined, undefined]);
    const other = tester.receiveNew(options);
    tester.respond(other, options, 200);
    expect([other.state, other.request]).toEqual(['completed', undefined]);
    const sent = tester.outputs.findLast(({ kind }) => kind === 'send');
    expect(sent?.kind === 'send' && sent.bytes.buffer).not.toBe(other.response?.buffer);
    expect(tester.receive(options)).toEqual(['send 200']);
  });

  test('copies of its own, which nothing that is kept later or written elsewhere changes', () => {
    const kept = new KeptBytes();
    const texts = Array.from({ length: 200 }, (_, i) => `${i} `.repeat(i + 1));
    const copies = ['', 'x'.repeat(100_000), ...texts].map((text) => {
      const bytes = Buffer.from(text);
      const copy = kept.copyOf(bytes);
      bytes.fill(0);
      return copy;
    });
    expect(copies.map(String)).toEqual(['', 'x'.repeat(100_000), ...texts]);
    expect(new Set(copies.slice(2).map(({ buffer }) => buffer)).size).toBeLessThan(10);
  });
});

describe('CANCEL', () => {
  const cancel = asRequest(buildCancel(invite));

  test('is a transaction of its own and names the INVITE it is for', () => {
    const tester = new TransactionTester();
    const cancelled = tester.receiveNew(invite);
    tester.receive(cancel);
    const output = tester.outputs.at(-1);
    expect(output).toMatchObject({ kind: 'request', cancels: cancelled });
    expect(cancelled.state).toBe('proceeding');
    expect(tester.layer.size).toBe(2);
  });

  test('that matches nothing names nothing', () => {
    const tester = new TransactionTester();
    tester.receiveNew(options);
    tester.receive(asRequest(buildCancel(options)));
    expect(tester.outputs.at(-1)).toMatchObject({ kind: 'request', cancels: undefined });
  });

  test('that crosses the 200 changes nothing: the INVITE stays accepted and is acknowledged', () => {
    const tester = new TransactionTester();
    const transaction = tester.receiveNew(invite);
    tester.respond(transaction, invite, 180);
    tester.respond(transaction, invite, 200);
    const received = tester.receiveNew(cancel);
    tester.respond(received, cancel, 200);
    expect(tester.respond(transaction, invite, 487)).toEqual([]);
    expect(transaction.state).toBe('accepted');
    expect(tester.receive(ack())).toEqual(['to user ACK']);
  });

  test('that was sent meets a 200 on its way: the user gets the 200 of both', () => {
    const tester = new TransactionTester();
    const inviting = tester.send(invite);
    tester.receiveResponse(responseTo(invite, 180));
    tester.send(cancel);
    expect(tester.receiveResponse(responseTo(invite, 200))).toContain('to user 200');
    expect(tester.receiveResponse(responseTo(cancel, 200))).toContain('to user 200');
    expect(inviting.state).toBe('accepted');
  });
});

describe('matching', () => {
  const via = (text: string) => aRequest('OPTIONS', { fields: { Via: text } });

  test('a request goes by branch, sent-by and method', () => {
    const keys = [
      via('SIP/2.0/UDP a.example.com;branch=z9hG4bK1'),
      via('SIP/2.0/TCP A.example.com;branch=z9hG4bK1;received=192.0.2.7;rport=5'),
      via('SIP/2.0/UDP a.example.com:5060;branch=z9hG4bK1'),
      via('SIP/2.0/UDP a.example.com;branch=z9hG4bK2'),
    ].map((request) => serverKey(request));
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(3);
    expect(serverKey(aRequest('ACK'))).toBe(serverKey(invite));
    expect(serverKey(aRequest('CANCEL'))).not.toBe(serverKey(invite));
  });

  test('a request of RFC 2543 goes by Request-URI, tags, Call-ID, CSeq number and top Via', () => {
    const old = (method: string, fields: Record<string, string> = {}, uri?: string) =>
      aRequest(method, { ...(uri && { uri }), fields: { Via: 'SIP/2.0/UDP old.example.com', ...fields } });
    const key = serverKey(old('INVITE'));
    expect(serverKey(old('INVITE'))).toBe(key);
    expect(serverKey(old('ACK', { To: '<sip:bob@example.com>;tag=callee' }))).toBe(key);
    for (const other of [
      old('CANCEL'),
      old('INVITE', {}, 'sip:carol@example.com'),
      old('INVITE', { From: '<sip:alice@example.com>;tag=x' }),
      old('INVITE', { 'Call-ID': 'x' }),
      old('INVITE', { CSeq: '1 INVITE' }),
      old('INVITE', { Via: 'SIP/2.0/UDP older.example.com' }),
    ]) {
      expect(serverKey(other)).not.toBe(key);
    }
    expect(serverKey(old('CANCEL'), 'INVITE')).toBe(key);
  });

  test('a retransmission with a bare magic cookie is one', () => {
    const tester = new TransactionTester();
    const request = asRequest(torture('badbranch'));
    tester.respond(tester.receiveNew(request), request, 200);
    expect(tester.receive(asRequest(torture('badbranch')))).toEqual(['send 200']);
  });

  test('a response without its request is dropped', () => {
    const tester = new TransactionTester();
    expect(tester.receiveResponse(responseTo(invite, 200))).toEqual([]);
    tester.send(invite);
    expect(tester.receiveResponse(responseTo(options, 200))).toEqual([]);
  });
});

describe('a full layer', () => {
  const numbered = (method: string, n: number) =>
    aRequest(method, { fields: { Via: `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${n}` } });

  test('forgets the oldest transaction that only absorbs retransmissions, with its timer', () => {
    const tester = new TransactionTester(2);
    for (const n of [1, 2])
      tester.respond(tester.receiveNew(numbered('OPTIONS', n)), numbered('OPTIONS', n), 200);
    expect(tester.receive(numbered('OPTIONS', 3))).toEqual(['clear J', 'terminated', 'to user OPTIONS']);
    expect([tester.layer.size, tester.runningTimers]).toEqual([2, 1]);
    expect(tester.receive(numbered('OPTIONS', 2))).toEqual(['send 200']);
  });

  test('does not take a transaction that is over for one that could make room', () => {
    const tester = new TransactionTester(2);
    tester.respond(tester.receiveNew(numbered('OPTIONS', 1)), numbered('OPTIONS', 1), 200);
    tester.elapse(40_000);
    for (const n of [2, 3]) tester.receiveNew(numbered('OPTIONS', n));
    expect(tester.receive(numbered('OPTIONS', 4))).toEqual(['overload']);
  });

  test('refuses a request when every transaction is at work, and still takes what belongs to those', () => {
    const tester = new TransactionTester(2);
    const first = tester.receiveNew(numbered('INVITE', 1));
    tester.receiveNew(numbered('OPTIONS', 2));
    expect(tester.receive(numbered('OPTIONS', 3))).toEqual(['overload']);
    expect(tester.receive(numbered('INVITE', 1))).toEqual([]);
    expect(tester.respond(first, numbered('INVITE', 1), 486)).toContain('send 486');
    expect(tester.receive(numbered('ACK', 1))).toContain('set I 5000');
    expect(tester.layer.size).toBe(2);
  });
});

class Bell extends Linked<Bell> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

describe('the timer wheel', () => {
  const ring = (wheel: TimerWheel<Bell>, nowMs: number): string[] =>
    wheel.advance(nowMs).map(({ name }) => name);

  test('fires in order, not before time and at most a tick late', () => {
    const wheel = new TimerWheel<Bell>(10);
    wheel.set(new Bell('c'), 31);
    wheel.set(new Bell('a'), 5);
    wheel.set(new Bell('b'), 20);
    expect(ring(wheel, 4)).toEqual([]);
    expect(ring(wheel, 29)).toEqual(['a', 'b']);
    expect(ring(wheel, 39)).toEqual([]);
    expect(ring(wheel, 40)).toEqual(['c']);
    expect(wheel.size).toBe(0);
  });

  test('moves and clears', () => {
    const wheel = new TimerWheel<Bell>(1);
    const [a, b] = [new Bell('a'), new Bell('b')];
    wheel.set(a, 5);
    wheel.set(b, 5);
    wheel.set(a, 50);
    wheel.clear(b);
    wheel.clear(b);
    expect(ring(wheel, 49)).toEqual([]);
    expect(ring(wheel, 1_000_000_000)).toEqual(['a']);
  });

  test('fires what was due before it was set', () => {
    const wheel = new TimerWheel<Bell>(1);
    wheel.set(new Bell('a'), 10);
    expect(ring(wheel, 20)).toEqual(['a']);
    wheel.set(new Bell('late'), 3);
    expect(ring(wheel, 21)).toEqual(['late']);
  });

  test('takes one out from anywhere in a slot, and goes on with the others in order', () => {
    for (const [out, left] of [
      ['a', ['b', 'c']],
      ['b', ['a', 'c']],
      ['c', ['a', 'b']],
    ] as const) {
      const wheel = new TimerWheel<Bell>(1);
      const bells = ['a', 'b', 'c'].map((name) => new Bell(name));
      for (const bell of bells) wheel.set(bell, 7);
      for (const bell of bells) if (bell.name === out) wheel.clear(bell);
      expect(wheel.size).toBe(2);
      expect(ring(wheel, 7)).toEqual(left);
    }
  });

  test('sets one anew that it has fired, and one that was cleared', () => {
    const wheel = new TimerWheel<Bell>(1);
    const bell = new Bell('a');
    wheel.set(bell, 1);
    expect(ring(wheel, 1)).toEqual(['a']);
    wheel.set(bell, 2);
    wheel.clear(bell);
    expect([wheel.size, ...ring(wheel, 9)]).toEqual([0]);
    wheel.set(bell, 10);
    expect(ring(wheel, 10)).toEqual(['a']);
  });
});
