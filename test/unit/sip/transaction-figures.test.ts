import { describe, expect, test } from 'vitest';
import type { State } from '../../../services/sip/transaction/machine.ts';
import type { ClientTransaction, ServerTransaction } from '../../../services/sip/transaction/transaction.ts';
import { aRequest, responseTo } from '../../support/sip-messages.ts';
import { TransactionTester } from '../../support/sip-transactions.ts';

/** A transaction and the ways things can happen to it; `do` gives what the layer put out, in words. */
type Subject = {
  readonly tester: TransactionTester;
  readonly transaction: ClientTransaction<string> | ServerTransaction<string>;
  readonly do: (event: string) => string[];
};

/** `state | event | next state | outputs`, one row per arrow of a figure; what no row names must change nothing. */
type Figure = {
  readonly subject: (isReliable: boolean) => Subject;
  /** How each state is reached. */
  readonly states: Readonly<Record<string, readonly string[]>>;
  readonly events: readonly string[];
  readonly arrows: string;
};

const timers = 'A B D E F G H I J K L M 100'.split(' ').map((name) => `timer ${name}`);

function clientSubject(method: string): Figure['subject'] {
  return (isReliable) => {
    const tester = new TransactionTester();
    const request = aRequest(method);
    const transaction = tester.send(request, isReliable);
    const act = (event: string) => {
      if (event.startsWith('timer ')) return tester.fire(transaction, event.slice(6));
      if (event === 'transport error') return tester.failToSend(transaction);
      if (event === 'quieten') return tester.quieten(transaction);
      return tester.receiveResponse(responseTo(request, Number(event)));
    };
    return { tester, transaction, do: act };
  };
}

function serverSubject(method: string): Figure['subject'] {
  return (isReliable) => {
    const tester = new TransactionTester();
    const request = aRequest(method);
    const transaction = tester.receiveNew(request, isReliable);
    const act = (event: string) => {
      if (event.startsWith('timer ')) return tester.fire(transaction, event.slice(6));
      if (event === 'transport error') return tester.failToSend(transaction);
      if (event === 'request') return tester.receive(request);
      if (event === 'ACK')
        return tester.receive(aRequest('ACK', { fields: { To: '<sip:bob@example.com>;tag=callee' } }));
      return tester.respond(transaction, request, Number(event));
    };
    return { tester, transaction, do: act };
  };
}

const figures: Readonly<Record<string, Figure>> = {
  'figure 5 and RFC 6026: INVITE client transaction': {
    subject: clientSubject('INVITE'),
    states: {
      calling: [],
      quiet: ['quieten'],
      proceeding: ['180'],
      completed: ['486'],
      accepted: ['200'],
      terminated: ['timer B'],
    },
    events: ['100', '180', '200', '302', '486', '503', '603', 'transport error', 'quieten', ...timers],
    arrows: `
      calling    | timer A         | calling    | send INVITE, set A 1000
      calling    | timer B         | terminated | clear A, timeout, terminated
      calling    | transport error | terminated | clear A, clear B, transport-error, terminated
      calling    | 100             | proceeding | clear A, clear B, to user 100
      calling    | 180             | proceeding | clear A, clear B, to user 180
      calling    | 200             | accepted   | clear A, clear B, to user 200, set M 32000
      calling    | 302             | completed  | clear A, clear B, send ACK, to user 302, set D 32000
      calling    | 486             | completed  | clear A, clear B, send ACK, to user 486, set D 32000
      calling    | 503             | completed  | clear A, clear B, send ACK, to user 503, set D 32000
      calling    | 603             | completed  | clear A, clear B, send ACK, to user 603, set D 32000
      calling    | quieten         | quiet      | clear A
      quiet      | timer B         | terminated | timeout, terminated
      quiet      | transport error | terminated | clear B, transport-error, terminated
      quiet      | 100             | proceeding | clear B, to user 100
      quiet      | 180             | proceeding | clear B, to user 180
      quiet      | 200             | accepted   | clear B, to user 200, set M 32000
      quiet      | 302             | completed  | clear B, send ACK, to user 302, set D 32000
      quiet      | 486             | completed  | clear B, send ACK, to user 486, set D 32000
      quiet      | 503             | completed  | clear B, send ACK, to user 503, set D 32000
      quiet      | 603             | completed  | clear B, send ACK, to user 603, set D 32000
      proceeding | 100             | proceeding | to user 100
      proceeding | 180             | proceeding | to user 180
      proceeding | 200             | accepted   | to user 200, set M 32000
      proceeding | 302             | completed  | send ACK, to user 302, set D 32000
      proceeding | 486             | completed  | send ACK, to user 486, set D 32000
      proceeding | 503             | completed  | send ACK, to user 503, set D 32000
      proceeding | 603             | completed  | send ACK, to user 603, set D 32000
      completed  | 302             | completed  | send ACK
      completed  | 486             | completed  | send ACK
      completed  | 503             | completed  | send ACK
      completed  | 603             | completed  | send ACK
      completed  | transport error | terminated | clear D, transport-error, terminated
      completed  | timer D         | terminated | terminated
      accepted   | 200             | accepted   | to user 200
      accepted   | timer M         | terminated | terminated`,
  },
  'figure 6: non-INVITE client transaction': {
    subject: clientSubject('OPTIONS'),
    states: { trying: [], proceeding: ['100'], completed: ['200'], terminated: ['timer F'] },
    events: ['100', '180', '200', '404', '603', 'transport error', ...timers],
    arrows: `
      trying     | timer E         | trying     | send OPTIONS, set E 1000
      trying     | timer F         | terminated | clear E, timeout, terminated
      trying     | transport error | terminated | clear E, clear F, transport-error, terminated
      trying     | 100             | proceeding | to user 100
      trying     | 180             | proceeding | to user 180
      trying     | 200             | completed  | clear E, clear F, to user 200, set K 5000
      trying     | 404             | completed  | clear E, clear F, to user 404, set K 5000
      trying     | 603             | completed  | clear E, clear F, to user 603, set K 5000
      proceeding | timer E         | proceeding | send OPTIONS, set E 4000
      proceeding | timer F         | terminated | clear E, timeout, terminated
      proceeding | transport error | terminated | clear E, clear F, transport-error, terminated
      proceeding | 100             | proceeding | to user 100
      proceeding | 180             | proceeding | to user 180
      proceeding | 200             | completed  | clear E, clear F, to user 200, set K 5000
      proceeding | 404             | completed  | clear E, clear F, to user 404, set K 5000
      proceeding | 603             | completed  | clear E, clear F, to user 603, set K 5000
      completed  | timer K         | terminated | terminated`,
  },
  'figure 7 and RFC 6026: INVITE server transaction': {
    subject: serverSubject('INVITE'),
    states: {
      proceeding: ['180'],
      completed: ['486'],
      confirmed: ['486', 'ACK'],
      accepted: ['200'],
      terminated: ['486', 'timer H'],
    },
    events: ['request', 'ACK', '100', '183', '200', '302', '503', 'transport error', ...timers],
    arrows: `
      proceeding | request         | proceeding | send 180
      proceeding | 100             | proceeding | send 100
      proceeding | 183             | proceeding | send 183
      proceeding | 200             | accepted   | clear 100, send 200, set L 32000
      proceeding | 302             | completed  | clear 100, send 302, set G 500, set H 32000
      proceeding | 503             | completed  | clear 100, send 503, set G 500, set H 32000
      proceeding | transport error | proceeding | transport-error
      completed  | request         | completed  | send 486
      completed  | ACK             | confirmed  | clear G, clear H, set I 5000
      completed  | timer G         | completed  | send 486, set G 1000
      completed  | timer H         | terminated | clear G, timeout, terminated
      completed  | transport error | completed  | transport-error
      confirmed  | timer I         | terminated | terminated
      accepted   | ACK             | accepted   | to user ACK
      accepted   | 200             | accepted   | send 200
      accepted   | transport error | accepted   | transport-error
      accepted   | timer L         | terminated | terminated
      terminated | request         | terminated | set 100 200, to user INVITE
      terminated | ACK             | terminated | to user ACK`,
  },
  'figure 8: non-INVITE server transaction': {
    subject: serverSubject('OPTIONS'),
    states: { trying: [], proceeding: ['100'], completed: ['200'], terminated: ['200', 'timer J'] },
    events: ['request', '100', '180', '200', '404', '603', 'transport error', ...timers],
    arrows: `
      trying     | 100             | proceeding | send 100
      trying     | 180             | proceeding | send 180
      trying     | 200             | completed  | send 200, set J 32000
      trying     | 404             | completed  | send 404, set J 32000
      trying     | 603             | completed  | send 603, set J 32000
      proceeding | request         | proceeding | send 100
      proceeding | 100             | proceeding | send 100
      proceeding | 180             | proceeding | send 180
      proceeding | 200             | completed  | send 200, set J 32000
      proceeding | 404             | completed  | send 404, set J 32000
      proceeding | 603             | completed  | send 603, set J 32000
      proceeding | transport error | terminated | transport-error, terminated
      completed  | request         | completed  | send 200
      completed  | timer J         | terminated | terminated
      completed  | transport error | terminated | clear J, transport-error, terminated
      terminated | request         | terminated | to user OPTIONS`,
  },
};

function reach({ subject, states }: Figure, state: string, isReliable = false): Subject {
  const reached = subject(isReliable);
  for (const event of states[state] ?? []) reached.do(event);
  expect(reached.transaction.state).toBe(state);
  return reached;
}

/** Arrows by `state | event`. */
function arrowsOf({ arrows }: Figure): Map<string, { next: string; outputs: string[] }> {
  const rows = arrows
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()));
  return new Map(
    rows.map(([state = '', event = '', next = '', outputs = '']) => [
      `${state} | ${event}`,
      { next, outputs: outputs === '' ? [] : outputs.split(', ').sort() },
    ]),
  );
}

describe.each(Object.entries(figures))('%s', (_, figure) => {
  const arrows = arrowsOf(figure);
  const cases = Object.keys(figure.states).flatMap((state) =>
    figure.events.map((event) => [state, event] as const),
  );

  test.each(cases)('%s, %s', (state, event) => {
    const subject = reach(figure, state);
    const outputs = subject.do(event).sort();
    const arrow = arrows.get(`${state} | ${event}`) ?? { next: state, outputs: [] };
    expect(outputs).toEqual(arrow.outputs);
    expect(subject.transaction.state).toBe(arrow.next);
  });

  test('every arrow was taken', () => {
    const taken = new Set(cases.map(([state, event]) => `${state} | ${event}`));
    expect([...arrows.keys()].filter((arrow) => !taken.has(arrow))).toEqual([]);
  });

  test.each(Object.keys(figure.states))('%s is left at last, and with it the last timer', (state) => {
    const { tester, transaction } = reach(figure, state);
    tester.elapse(70_000);
    const waits: readonly State[] = ['proceeding', 'trying'];
    if (transaction.kind === 'server' && waits.includes(transaction.state)) return;
    if (transaction.method === 'INVITE' && transaction.state === 'proceeding') return;
    expect([transaction.state, tester.layer.size, tester.runningTimers]).toEqual(['terminated', 0, 0]);
  });
});

describe('over a reliable transport', () => {
  test.each([
    ['figure 5 and RFC 6026: INVITE client transaction', '486', 'clear B, send ACK, to user 486, terminated'],
    ['figure 6: non-INVITE client transaction', '200', 'clear F, to user 200, terminated'],
    ['figure 8: non-INVITE server transaction', '200', 'send 200, terminated'],
  ])('%s retransmits nothing and does not linger: %s', (name, event, outputs) => {
    const subject = figures[name]?.subject(true);
    if (!subject) throw new Error(`no ${name}`);
    expect(subject.transaction.timers.map((timer) => timer.name)).not.toContain('A');
    expect(subject.transaction.timers.map((timer) => timer.name)).not.toContain('E');
    expect(subject.do(event).join(', ')).toBe(outputs);
    expect([subject.tester.layer.size, subject.tester.runningTimers]).toEqual([0, 0]);
  });

  test('an INVITE server transaction does not retransmit its response, and ends with the ACK', () => {
    const subject = serverSubject('INVITE')(true);
    expect(subject.do('486')).toEqual(['clear 100', 'send 486', 'set H 32000']);
    expect(subject.do('ACK')).toEqual(['clear H', 'terminated']);
    expect([subject.tester.layer.size, subject.tester.runningTimers]).toEqual([0, 0]);
  });
});
