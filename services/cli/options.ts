import { InvalidArgumentError, Option } from 'commander';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { Kind } from '../model/kind.ts';
import { kinds } from '../model/kinds.ts';
import { logNamed } from '../log/definition.ts';
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
