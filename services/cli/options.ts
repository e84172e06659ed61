import { InvalidArgumentError, Option } from 'commander';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { Kind } from '../model/kind.ts';
import { kinds } from '../model/kinds.ts';
import { logNamed } from '../log/definition.ts';
import { parseDuration, writeDuration } from '../site/config/values.ts';
import { LogName } from '../protocol/names.ts';

export const kindNames: readonly string[] = kinds.map(({ name }) => name);

/** Parses an option that is a whole number within bounds. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text.replaceAll(',', ''));
    if (Number.isSafeInteger(value) && value >= min && value <= max && text.trim() !== '') return value;
    const upper = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`;
    throw new InvalidArgumentError(`Expected a whole number from ${min}${upper}.`);
  };
}

export type DurationBounds = {
  readonly defaultMs?: number | undefined;
  readonly minMs?: number | undefined;
  readonly maxMs?: number | undefined;
};

/** An option that is a duration with its unit; its value is in milliseconds. */
export function durationOption(
  flags: string,
  description: string,
  { defaultMs, minMs = 1, maxMs = Infinity }: DurationBounds = {},
): Option {
  const option = new Option(flags, description).argParser((text) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    const bounds = maxMs === Infinity ? '' : `, from ${writeDuration(minMs)} to ${writeDuration(maxMs)}`;
    throw new InvalidArgumentError(`Expected a time with its unit, such as 500ms, 5s, 2min or 1h${bounds}.`);
  });
  return defaultMs === undefined ? option : option.default(defaultMs, writeDuration(defaultMs));
}

/** Which log of a site is meant. */
export const logOption = (): Option =>
  new Option('--log <log>', 'which log').choices(Object.values(LogName)).default(LogName.configuration);

/** The kind of this name, of the configuration unless another log is named. @throws CLI_USAGE */
export function requireKind(name: string, log: LogName = LogName.configuration): Kind {
  const { kinds: known } = logNamed(log);
  const kind = known.find((each) => each.name === name);
  if (kind) return kind;
  throw new DualhomeError('CLI_USAGE', {
    detail: `There is no kind "${name}"; it is one of ${known.map((each) => each.name).join(', ')}.`,
  });
}

/** `A..B`; either may be left out. @throws CLI_USAGE */
export function rangeOf(text: string | undefined): { readonly from?: string; readonly to?: string } {
  if (text === undefined) return {};
  const [from, to, ...more] = text.split('..');
  if (to === undefined || more.length > 0) {
    throw new DualhomeError('CLI_USAGE', { detail: `--key-range ${text}: expected A..B, A.. or ..B` });
  }
  return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
}
