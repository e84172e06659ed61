import { InvalidArgumentError } from 'commander';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { Kind } from '../model/kind.ts';
import { kindNamed, kinds } from '../model/kinds.ts';

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

/** The kind of this name. @throws CLI_USAGE */
export function requireKind(name: string): Kind {
  const kind = kindNamed(name);
  if (kind) return kind;
  throw new DualhomeError('CLI_USAGE', {
    detail: `There is no kind "${name}"; it is one of ${kindNames.join(', ')}.`,
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
