import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../services/cli/exit-codes.ts';
import { formatBytes, formatCount, formatDuration, formatTime } from '../../../services/cli/output/format.ts';
import { formatFacts, formatTable } from '../../../services/cli/output/table.ts';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';

describe('figures on screen', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [123_456_789, '123 MB'],
    [2_500_000_000_000_000, '2500 TB'],
  ])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [12.4, '12 ms'],
    [4_210, '4.2 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 05 min'],
    [100 * 3_600_000, '4 d 4 h'],
  ])('%i ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('have thousands separators and times their zone', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(formatTime('2026-11-23T12:34:56.789Z')).toBe('2026-11-23 12:34:56 UTC');
  });
});

describe('tables', () => {
  it('align columns, numbers at their end, colours not counted', () => {
    const columns = [{ head: 'NAME' }, { head: 'SEQ', right: true }, { head: 'STATE' }];
    const rows = [
      ['c1', '1,204', '\u001b[32mup\u001b[39m'],
      ['long-name', '7', 'down'],
    ];
    expect(formatTable(columns, rows)).toBe(
      'NAME         SEQ  STATE\nc1         1,204  \u001b[32mup\u001b[39m\nlong-name      7  down',
    );
  });

  it('of facts leave out what has no value', () => {
    expect(
      formatFacts([
        ['Site', 'c1'],
        ['Peer', undefined],
        ['Position', '7'],
      ]),
    ).toBe('Site      c1\nPosition  7');
  });
});

describe('the exit code', () => {
  it.each([
    ['API_UNREACHABLE', 3],
    ['SITE_NOT_RUNNING', 3],
    ['CLI_USAGE', 2],
    ['SITE_CHECK_FAILED', 2],
    ['API_FORBIDDEN', 2],
    ['POSTGRES_TIMEOUT', 1],
  ] as const)('of %s is %i', (code, exitCode) => {
    expect(exitCodeOf(new DualhomeError(code))).toBe(exitCode);
  });

  it('of a defect is 1', () => expect(exitCodeOf(new TypeError('x'))).toBe(1));
});
