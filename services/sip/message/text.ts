/**
 * Inside this core, text is a *byte string*: one character per byte (latin1), so that offsets in text and in
 * the message agree and every byte survives parsing and writing. These helpers cross the border to Unicode.
 */

/** What a byte string says in UTF-8, the character set of SIP (RFC 3261 section 7.4.2). */
export function decodeText(byteString: string): string {
  return Buffer.from(byteString, 'latin1').toString('utf8');
}

/** A Unicode text as a byte string of its UTF-8. */
export function encodeText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * A copy that does not share memory with the message it was cut from. A string sliced from a message keeps
 * the whole message alive: whatever outlives its message is copied with this first.
 */
export function detached(byteString: string): string {
  return Buffer.from(byteString, 'latin1').toString('latin1');
}

/** The content of a quoted-string with its escapes undone; any other text as it is (section 25.1). */
export function unquoted(text: string): string {
  if (text.charCodeAt(0) !== 0x22) return text;
  const content = text.slice(1, -1);
  return content.includes('\\') ? content.replaceAll(/\\(.)/gs, '$1') : content;
}

/** `text` as a quoted-string. */
export function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/**
 * `value` itself, if it can stand in a header line. A line break inside a value would let its author write
 * header fields of his own, so passing one here is a defect of the caller.
 */
export function headerSafe(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are the point
  if (/[\r\n\u0100-\uffff]/.test(value)) throw new TypeError('A header value must be one line of bytes.');
  return value;
}

/** A decimal number of digits only, at most `max`; anything else is undefined. */
export function parseNumber(text: string | undefined, max: number): number | undefined {
  return text === undefined ? undefined : parseNumberAt(text, 0, text.length, max);
}

/** The same for the digits in `text[start..end)`. */
export function parseNumberAt(text: string, start: number, end: number, max: number): number | undefined {
  if (start >= end) return undefined;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
    if (number > max) return undefined;
  }
  return number;
}
