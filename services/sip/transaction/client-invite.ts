import type { Machine } from './machine.ts';

/**
 * INVITE client transaction: RFC 3261 figure 5 with the Accepted state of RFC 6026 section 7.2, and a state of ours:
 * quiet. An INVITE that nobody needs any longer and that may not be cancelled yet (section 9.1) is sent no more, so that
 * an element that was dead and comes back within Timer B does not ring for a call that is made by another way.
 */
export const clientInvite: Machine = {
  start: ['calling', 'send', 'start A', 'start B'],
  states: {
    calling: {
      'timer A': ['calling', 'send', 'again A'],
      quieten: ['quiet'],
      'timer B': ['terminated', 'report timeout'],
      'transport error': ['terminated', 'report transport error'],
      '1xx': ['proceeding', 'pass'],
      '2xx': ['accepted', 'pass', 'start M'],
      '300-699': ['completed', 'send ACK', 'pass', 'start D'],
    },
    quiet: {
      'timer B': ['terminated', 'report timeout'],
      'transport error': ['terminated', 'report transport error'],
      '1xx': ['proceeding', 'pass'],
      '2xx': ['accepted', 'pass', 'start M'],
      '300-699': ['completed', 'send ACK', 'pass', 'start D'],
    },
    proceeding: {
      '1xx': ['proceeding', 'pass'],
      '2xx': ['accepted', 'pass', 'start M'],
      '300-699': ['completed', 'send ACK', 'pass', 'start D'],
    },
    completed: {
      '300-699': ['completed', 'send ACK'],
      'transport error': ['terminated', 'report transport error'],
      'timer D': ['terminated'],
    },
    accepted: {
      '2xx': ['accepted', 'pass'],
      'timer M': ['terminated'],
    },
  },
};
