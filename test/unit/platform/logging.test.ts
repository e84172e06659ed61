import { inspect, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import { createLogger } from '../../../services/platform/logging/logger.ts';
import type { Logger, LoggerOptions } from '../../../services/platform/logging/logger.ts';
import { Secret } from '../../../services/platform/logging/secret.ts';

function capture(options: Partial<LoggerOptions> = {}): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    program: 'api',
    site: 'c1',
    to: { write: (line) => lines.push(line) },
    ...options,
  });
  return { log, lines };
}

const last = (lines: string[]): unknown => JSON.parse(lines.at(-1) ?? '');

test('a line carries level, time, program, site and the context of its child', () => {
  const { log, lines } = capture();
  log.child({ peer: 'c2' }).warn({ lagEvents: 3 }, 'behind');
  expect(last(lines)).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    program: 'api',
    site: 'c1',
    pid: process.pid,
    peer: 'c2',
    lagEvents: 3,
    msg: 'behind',
  });
});

test('context that is learned later is on every later line', () => {
  const { log, lines } = capture({ site: undefined });
  log.setBindings({ site: 'c2' });
  log.info('known');
  expect(last(lines)).toMatchObject({ site: 'c2' });
});

test('a secret shows in no form', () => {
  const secret = new Secret('tiger');
  const { log, lines } = capture();
  log.info({ secret, list: [secret], deep: { a: { secret } } }, `with ${secret.toString()}`);
  log.info({ password: 'tiger', request: { authorization: 'tiger' } }, 'unwrapped');
  const shown = [...lines, inspect(secret), inspect({ secret }), String(secret), JSON.stringify({ secret })];
  expect(shown.join('\n')).not.toContain('tiger');
  expect(secret.reveal()).toBe('tiger');
});

test('an error is logged with its code, facts, action and causes', () => {
  const { log, lines } = capture();
  const cause = new AggregateError([new Error('refused')], 'both');
  log.error({ err: new DualhomeError('POSTGRES_UNREACHABLE', { facts: { port: 1 }, cause }) }, 'failed');
  expect(last(lines)).toMatchObject({
    err: {
      code: 'POSTGRES_UNREACHABLE',
      facts: { port: 1 },
      action: expect.any(String),
      stack: expect.stringContaining('logging.test.ts'),
      causes: [{ message: 'both', causes: [{ message: 'refused' }] }],
    },
  });
});

test('an error that causes itself is cut off', () => {
  const { log, lines } = capture();
  const error = new Error('loop');
  error.cause = error;
  log.error({ err: error }, 'failed');
  expect(last(lines)).toMatchObject({ err: { message: 'loop' } });
});

test('a person at a terminal reads one plain line, and a stack below it', () => {
  const { log, lines } = capture({ pretty: true });
  log.info({ port: 5060, reason: 'two words' }, 'listening');
  log.error({ err: new Error('boom') }, 'failed');
  expect(stripVTControlCharacters(lines[0] ?? '')).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}api listening site=c1 port=5060 reason="two words"\n$/,
  );
  expect(stripVTControlCharacters(lines[1] ?? '')).toMatch(/ERROR api failed site=c1\n[^]*boom/);
});

test('a disk that is full ends no program: lines are lost, nothing is thrown', () => {
  const log = createLogger({ program: 'api', to: { file: '/dev/full' } });
  for (let line = 0; line < 3; line += 1) expect(() => log.info({ line }, 'no room')).not.toThrow();
});
