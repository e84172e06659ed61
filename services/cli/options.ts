import { InvalidArgumentError } from 'commander';

/** Parses an option that is a whole number within bounds. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text.replaceAll(',', ''));
    if (Number.isSafeInteger(value) && value >= min && value <= max && text.trim() !== '') return value;
    const upper = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`;
    throw new InvalidArgumentError(`Expected a whole number from ${min}${upper}.`);
  };
}
