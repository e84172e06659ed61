import type { Machine } from './machine.ts';

/**
 * INVITE server transaction: RFC 3261 figure 7 as RFC 6026 section 7.1 changed it, with the Accepted state and
 * with transport errors that are reported but end nothing.
 */
export const serverInvite: Machine = {
  start: ['proceeding', 'pass', 'start 100'],
  states: {
    proceeding: {
      request: ['proceeding', 'send'],
      'timer 100': ['proceeding', 'send 100'],
      'transport error': ['proceeding', 'report transport error'],
      '1xx': ['proceeding', 'send'],
      '2xx': ['accepted', 'send', 'start L'],
      '300-699': ['completed', 'send', 'start G', 'start H'],
    },
    completed: {
      request: ['completed', 'send'],
      ACK: ['confirmed', 'start I'],
      'timer G': ['completed', 'send', 'again G'],
      'timer H': ['terminated', 'report timeout'],
      'transport error': ['completed', 'report transport error'],
    },
    confirmed: {
      'timer I': ['terminated'],
    },
    accepted: {
      '2xx': ['accepted', 'send'],
      ACK: ['accepted', 'pass'],
      'transport error': ['accepted', 'report transport error'],
      'timer L': ['terminated'],
    },
  },
};
