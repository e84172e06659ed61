import { expect, test } from 'vitest';
import { ChildProgram } from '../../support/child-program.ts';
import type { ChildProgramOptions } from '../../support/child-program.ts';

const programs = `${import.meta.dirname}/../../support/programs`;

function start(
  behaviour: string,
  options: ChildProgramOptions & { stopWithinMs?: number } = {},
): ChildProgram {
  return new ChildProgram(`${programs}/lifecycle-program.ts`, {
    ...options,
    args: [behaviour, String(options.stopWithinMs ?? 10_000)],
  });
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s stops a program in order: intake, stack in reverse, exit 0',
  async (signal) => {
    await using program = start('serve');
    await program.saw('"ready"');
    program.kill(signal);
    expect(await program.exit()).toEqual({ code: 0, signal: null });
    expect(program.messages).toEqual([
      'ready',
      'stopping',
      'released last acquired',
      'released first acquired',
      'stopped',
    ]);
  },
);

test('a program whose work is done releases and exits 0', async () => {
  await using program = start('finish');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(program.messages.slice(-2)).toEqual(['released first acquired', 'stopped']);
});

test('a rejection by the abort itself is an intended end', async () => {
  await using program = start('abort-error');
  await program.saw('"ready"');
  program.kill('SIGTERM');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
});

test('a refusal is logged with its action, everything is released, exit 2', async () => {
  await using program = start('refuse');
  expect(await program.exit()).toEqual({ code: 2, signal: null });
  expect(program.output).toContain('"code":"TLS_FILE_UNREADABLE"');
  expect(program.output).toContain('"action":"Check the path');
  expect(program.messages).toContain('released first acquired');
});

test('a failure exits 1', async () => {
  await using program = start('fail');
  expect(await program.exit()).toEqual({ code: 1, signal: null });
  expect(program.output).toContain('main failed');
});

test('a failing release does not keep the others from being released, exit 1', async () => {
  await using program = start('fail-in-release');
  await program.saw('"ready"');
  program.kill('SIGTERM');
  expect(await program.exit()).toEqual({ code: 1, signal: null });
  expect(program.messages).toContain('released first acquired');
  expect(program.output).toContain('release failed');
});

test('an unhandled rejection is logged and ends the program, exit 1', async () => {
  await using program = start('reject');
  expect(await program.exit()).toEqual({ code: 1, signal: null });
  expect(program.messages.at(-1)).toBe('defect');
  expect(program.output).toContain('nobody listens');
});

test.each([
  ['hang-in-release', 'the stubborn part'],
  ['hang-in-main', 'main'],
  ['leak-a-handle', 'an open handle'],
])('a program that does not stop (%s) is ended and says that it was %s', async (behaviour, culprit) => {
  await using program = start(behaviour, { stopWithinMs: 300 });
  await program.saw('"ready"');
  program.kill('SIGTERM');
  expect(await program.exit()).toEqual({ code: 1, signal: null });
  expect(program.output).toContain('"code":"LIFECYCLE_STOP_TIMEOUT"');
  expect(program.output).toContain(`"hung":"${culprit}"`);
});

test('the same signal again, more than a second later, forces the end', async () => {
  await using program = start('hang-in-release');
  await program.saw('"ready"');
  const startedMs = performance.now();
  program.kill('SIGINT');
  await program.saw('"stopping"');
  program.kill('SIGINT');
  // Only passing time makes it a second wish, so the key is pressed until it is one.
  const repeat = setInterval(() => program.kill('SIGINT'), 100);
  try {
    expect(await program.exit()).toEqual({ code: 1, signal: null });
  } finally {
    clearInterval(repeat);
  }
  expect(performance.now() - startedMs).toBeGreaterThan(1_000);
  expect(program.messages.at(-1)).toBe('stopping was forced');
});

test('readiness is reported to the supervisor, whose death by kill -9 stops the program', async () => {
  await using supervisor = new ChildProgram(`${programs}/supervisor-program.ts`);
  await supervisor.saw('supervisor got {"type":"ready","program":"test-program"');
  expect(supervisor.output).toContain('"facts":{"port":42}');
  supervisor.kill('SIGKILL');
  await supervisor.saw('"reason":"parent is gone"');
  await supervisor.saw('"stopped"');
});

test('a program whose log nobody reads any more still stops in order', async () => {
  await using program = start('serve');
  await program.saw('"ready"');
  program.closeOutput();
  program.kill('SIGTERM');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
});

test('a failpoint kills the process at the named hit', async () => {
  await using program = start('hit', { env: { DUALHOME_FAILPOINT: 'test.point=kill@2' } });
  expect(await program.exit()).toEqual({ code: null, signal: 'SIGKILL' });
  expect(program.output).toContain('before hit 2\nfailpoint test.point kill\n');
  expect(program.output).not.toContain('before hit 3');
});

test('a failpoint throws', async () => {
  await using program = start('hit', { env: { DUALHOME_FAILPOINT: 'test.point=throw' } });
  expect(await program.exit()).toEqual({ code: 1, signal: null });
  expect(program.output).toContain('Error: failpoint test.point');
});

test('a failpoint pauses the whole process until SIGCONT', async () => {
  await using program = start('hit', { env: { DUALHOME_FAILPOINT: 'test.point=pause@1' } });
  await program.pausedAt('test.point');
  expect(program.output).not.toContain('before hit 2');
  program.kill('SIGCONT');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(program.output).toContain('before hit 3');
});

test('a program without failpoints runs through them', async () => {
  await using program = start('hit');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
});
