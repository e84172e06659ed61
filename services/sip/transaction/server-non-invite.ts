import type { Machine, Step } from './machine.ts';

const finalResponse: Step = ['completed', 'send', 'start J'];
const transportError: Step = ['terminated', 'report transport error'];

/** Non-INVITE server transaction: RFC 3261 figure 8. A retransmission in Trying is discarded. */
export const serverNonInvite: Machine = {
  start: ['trying', 'pass'],
  states: {
    trying: {
      '1xx': ['proceeding', 'send'],
      '2xx': finalResponse,
      '300-699': finalResponse,
    },
    proceeding: {
      request: ['proceeding', 'send'],
      'transport error': transportError,
      '1xx': ['proceeding', 'send'],
      '2xx': finalResponse,
      '300-699': finalResponse,
    },
    completed: {
      request: ['completed', 'send'],
      'transport error': transportError,
      'timer J': ['terminated'],
    },
  },
};
