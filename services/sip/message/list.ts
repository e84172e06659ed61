import { quotedEnd } from './characters.ts';

/**
 * The values of a comma-separated header field (section 7.3.1). Commas inside quotes and inside angle brackets
 * do not separate. An empty value is kept as '' so that whoever parses it finds it malformed.
 */
export function splitList(text: string): string[] {
  if (!text.includes(',')) return [text];
  const values: string[] = [];
  for (let start = 0; start <= text.length;) {
    const end = valueEnd(text, start);
    values.push(text.slice(start, end).trim());
    start = end + 1;
  }
  return values;
}

/** The first value of a comma-separated header field. */
export function firstOfList(text: string): string {
  return text.includes(',') ? text.slice(0, valueEnd(text, 0)).trim() : text;
}

/** Where the value that begins at `start` ends: at its comma or at the end of the text. */
function valueEnd(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2c) return i;
    if (code === 0x22) {
      const end = quotedEnd(text, i);
      if (end < 0) return text.length;
      i = end - 1;
    } else if (code === 0x3c) {
      const end = text.indexOf('>', i);
      if (end < 0) return text.length;
      i = end;
    }
  }
  return text.length;
}
