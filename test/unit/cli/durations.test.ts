import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCommand } from '../../../services/cli/command.ts';
import { durationOption } from '../../../services/cli/options.ts';
import { parseDuration, writeDuration } from '../../../services/site/config/values.ts';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['15min', 900_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
  ])('of %s is %i ms, and is written so', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(writeDuration(ms)).toBe(text);
  });

  it.each(['5000', '5', '0s', '1.5s', '5 s', '5m', 's', ''])('is not "%s"', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), (ms) => {
        expect(parseDuration(writeDuration(ms))).toBe(ms);
      }),
    );
  });

  it('as an option has a unit, bounds, and a default that help shows with its unit', () => {
    const parse = (...args: string[]) => {
      const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
      command.addOption(
        durationOption('--wait <time>', 'how long', { defaultMs: 5_000, minMs: 1_000, maxMs: 60_000 }),
      );
      command.parse(args, { from: 'user' });
      return { command, wait: command.opts<{ wait: number }>().wait };
    };
    expect(parse().wait).toBe(5_000);
    expect(parse('--wait', '30s').wait).toBe(30_000);
    expect(parse().command.helpInformation()).toContain('(default: 5s)');
    expect(() => parse('--wait', '5000')).toThrow('such as 500ms, 5s, 2min or 1h, from 1s to 1min');
    expect(() => parse('--wait', '2h')).toThrow('from 1s to 1min');
  });
});

it('no verb shows a time without its unit', () => {
  const verbsOf = (command: Command): readonly Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(verbsOf);
  const timed = verbsOf(createCommand()).flatMap(({ options }) =>
    options.filter(({ flags }) => flags.includes('<time>') || flags.includes('<duration>')),
  );
  expect(timed.length).toBeGreaterThan(3);
  for (const { flags, defaultValue, defaultValueDescription } of timed)
    if (defaultValue !== undefined) expect(defaultValueDescription, flags).toMatch(/^\d+(ms|s|min|h|d)$/);
});
