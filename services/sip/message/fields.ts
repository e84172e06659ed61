import { charClass, isRun } from './characters.ts';
import { parseNumber } from './text.ts';

/** CSeq (section 20.16). */
export type CSeq = { readonly number: number; readonly method: string };

/** Parses a CSeq; its number must fit 32 bits without sign. */
export function parseCSeq(text: string): CSeq | undefined {
  const match = /^(\d+)[ \t]+(\S+)$/.exec(text);
  const number = parseNumber(match?.[1], 0xffff_ffff);
  const method = match?.[2] ?? '';
  return number !== undefined && isRun(method, charClass.token) ? { number, method } : undefined;
}

const dateForm =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Parses a SIP-date (section 20.17), which knows no zone but GMT, to milliseconds since 1970. */
export function parseSipDate(text: string): number | undefined {
  const timeMs = dateForm.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** The moment as a SIP-date. */
export function formatSipDate(timeMs: number): string {
  return new Date(timeMs).toUTCString();
}

/** Longest expiry that can be written (section 20.19): 2^32 - 1 seconds. */
const expirySecondsMax = 0xffff_ffff;

/** Parses delta-seconds of Expires, `expires` or Min-Expires; a malformed one counts as absent (section 10.2.1.1). */
export function parseExpirySeconds(text: string | undefined): number | undefined {
  return parseNumber(text?.trim(), expirySecondsMax);
}

/** Seconds of a Retry-After, whose comment and parameters are left aside (section 20.33). */
export function parseRetryAfterSeconds(text: string | undefined): number | undefined {
  return parseNumber(/^(\d+)[ \t]*(?:[(;]|$)/.exec(text ?? '')?.[1], expirySecondsMax);
}
