import { z } from 'zod';
import type { Address } from '../../protocol/program-config.ts';

const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])$/;
const portMax = 65_535;

/** `host:port`; an IPv6 address stands in brackets. Undefined where the text is not one. */
export function parseAddress(text: string): Address | undefined {
  const [, host = '', digits = ''] = /^(.+):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!hostPattern.test(host) || port < 1 || port > portMax) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port };
}

export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A first and a last port, both included. */
export type PortRange = { readonly min: number; readonly max: number };

/** `first-last`. Undefined where the text is not a range of ports. */
export function parsePortRange(text: string): PortRange | undefined {
  const [, first, last] = /^([0-9]{1,5})-([0-9]{1,5})$/.exec(text) ?? [];
  const range = { min: Number(first), max: Number(last) };
  return range.min >= 1 && range.min <= range.max && range.max <= portMax ? range : undefined;
}

const unitMs = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `30s`, `15min`, `1h`, `2d`, in milliseconds. Undefined where the text is none of them. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^([1-9][0-9]{0,5})(ms|s|min|h|d)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * unitMs[unit as keyof typeof unitMs];
}

/** A duration as it is written, in the largest unit of which it is a whole number: `15min`. */
export function writeDuration(ms: number): string {
  const [unit, size] = Object.entries(unitMs).findLast(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** A text that `parse` understands, as what it makes of it. */
function parsed<T>(parse: (text: string) => T | undefined, expected: string) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: `Expected ${expected}`, input: text });
    return z.NEVER;
  });
}

export const addressText = parsed(parseAddress, 'host:port, such as 192.0.2.1:7400');

export const portRangeText = parsed(parsePortRange, 'first-last, such as 7410-7429');

export const hostText = z
  .string()
  .regex(hostPattern, 'Expected a host name or address; an IPv6 address in brackets');

/** A duration in milliseconds, or null for `never`. */
export const durationText = parsed(
  (text) => (text === 'never' ? null : parseDuration(text)),
  'a duration such as 30s, 15min, 1h or 2d, or never',
);
