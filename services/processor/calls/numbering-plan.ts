/** What a country's subscribers dial in front of a number (ITU-T E.164 annex, operational bulletin 994). */
type Prefixes = {
  /** In front of a number of another country. */
  readonly international: string;
  /** In front of a number of another area; null where numbers are always dialled whole. */
  readonly national: string | null;
};

const usual: Prefixes = { international: '00', national: '0' };

/** Countries that differ from 00 and 0, by calling code. */
const others: ReadonlyMap<string, Prefixes> = new Map([
  ['1', { international: '011', national: '1' }],
  ['7', { international: '810', national: '8' }],
  ['36', { international: '00', national: '06' }],
  ['61', { international: '0011', national: '0' }],
  ['81', { international: '010', national: '0' }],
  ['82', { international: '00', national: '0' }],
  ['852', { international: '001', national: null }],
  ...['30', '34', '39', '45', '47', '48', '351', '352', '420'].map(
    (country) => [country, { international: '00', national: null }] as const,
  ),
]);

/** Where a number is dialled from. */
export type DiallingArea = { readonly countryCode: string | null; readonly areaCode: string | null };

const digitsMax = 15;

/**
 * The E.164 number, `+` in front, that was dialled; undefined where the digits are none (letters, `*`, `#`), too many,
 * or where it is not known from which country they were dialled.
 */
export function normaliseNumber(
  dialled: string,
  { countryCode, areaCode }: DiallingArea,
): string | undefined {
  const digits = dialledDigits(dialled);
  if (!/^\+?[0-9]+$/.test(digits)) return undefined;
  if (digits.startsWith('+')) return asE164(digits.slice(1));
  if (countryCode === null) return undefined;
  const { international, national } = others.get(countryCode) ?? usual;
  if (digits.startsWith(international)) return asE164(digits.slice(international.length));
  if (national !== null && digits.startsWith(national)) {
    return asE164(countryCode + digits.slice(national.length));
  }
  return asE164(countryCode + (areaCode ?? '') + digits);
}

/** The dialled text without the visual separators of RFC 3966 section 5.1.1. */
export function dialledDigits(dialled: string): string {
  return dialled.replaceAll(/[-.()\s]/g, '');
}

function asE164(digits: string): string | undefined {
  return digits.length <= digitsMax && /^[1-9][0-9]+$/.test(digits) ? `+${digits}` : undefined;
}
