import type { Machine, Step } from './machine.ts';

const finalResponse: Step = ['completed', 'pass', 'start K'];
const timeout: Step = ['terminated', 'report timeout'];
const transportError: Step = ['terminated', 'report transport error'];

/** Non-INVITE client transaction: RFC 3261 figure 6. */
export const clientNonInvite: Machine = {
  start: ['trying', 'send', 'start E', 'start F'],
  states: {
    trying: {
      'timer E': ['trying', 'send', 'again E'],
      'timer F': timeout,
      'transport error': transportError,
      '1xx': ['proceeding', 'pass'],
      '2xx': finalResponse,
      '300-699': finalResponse,
    },
    proceeding: {
      'timer E': ['proceeding', 'send', 'slow E'],
      'timer F': timeout,
      'transport error': transportError,
      '1xx': ['proceeding', 'pass'],
      '2xx': finalResponse,
      '300-699': finalResponse,
    },
    completed: {
      'timer K': ['terminated'],
    },
  },
};
