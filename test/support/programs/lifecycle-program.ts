import { createServer } from 'node:net';
import { aborted } from '../../../services/platform/lifecycle/abort.ts';
import { failpoint } from '../../../services/platform/lifecycle/failpoint.ts';
import { runProgram } from '../../../services/platform/lifecycle/program.ts';
import type { ResourceStack } from '../../../services/platform/lifecycle/resource-stack.ts';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';

/** A program for the lifecycle tests; its first argument says how it behaves. */
const behaviours: Readonly<Record<string, (signal: AbortSignal, stack: ResourceStack) => Promise<void>>> = {
  serve: (signal) => aborted(signal),
  finish: async () => undefined,
  refuse: async () => {
    throw new DualhomeError('TLS_FILE_UNREADABLE', { detail: 'key.pem' });
  },
  fail: async () => {
    throw new Error('main failed');
  },
  'abort-error': async (signal) => {
    await aborted(signal);
    signal.throwIfAborted();
  },
  'hang-in-release': async (signal, stack) => {
    stack.defer('the stubborn part', () => new Promise(() => undefined));
    await aborted(signal);
  },
  'hang-in-main': () => new Promise(() => undefined),
  'leak-a-handle': async (signal) => {
    createServer().listen(0, '127.0.0.1');
    await aborted(signal);
  },
  'fail-in-release': async (signal, stack) => {
    stack.defer('broken', () => Promise.reject(new Error('release failed')));
    await aborted(signal);
  },
  reject: async (signal) => {
    setTimeout(() => void Promise.reject(new Error('nobody listens')), 1);
    await aborted(signal);
  },
  hit: async () => {
    for (let n = 1; n <= 3; n++) {
      process.stderr.write(`before hit ${n}\n`);
      failpoint('test.point');
    }
  },
};

const behaviour = behaviours[process.argv[2] ?? ''];
const stopWithinMs = Number(process.argv[3] ?? 10_000);

await runProgram({
  name: 'test-program',
  stopWithinMs,
  main: async (signal, stack, { log, ready }) => {
    const alive = setInterval(() => undefined, 60_000);
    stack.defer('first acquired', () => {
      clearInterval(alive);
      log.info('released first acquired');
    });
    stack.defer('last acquired', () => log.info('released last acquired'));
    ready({ port: 42 });
    log.info('ready');
    await behaviour?.(signal, stack);
  },
});
