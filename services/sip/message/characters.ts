/** Character classes of RFC 3261 section 25.1, as bits of one table indexed by byte. */
export const charClass = {
  token: 1,
  /** `user`; also `#`, which phones send unescaped in service codes such as `*21#`. */
  user: 2,
  password: 4,
  /** `paramchar` of a URI parameter. */
  uriParam: 8,
  /** `hname` and `hvalue` of a URI, with the `=` and `&` between them. */
  uriHeader: 16,
  /** A host name or IPv4 address; also `_`, which is common in private names. */
  host: 32,
  /** An unquoted parameter value: whatever cannot be mistaken for structure. */
  value: 64,
  /** Visible ASCII or part of a UTF-8 sequence. */
  visible: 128,
} as const;

const alphanumeric = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const unreserved = `${alphanumeric}-_.!~*'()`;

const table = new Uint8Array(256);

function add(bit: number, characters: string): void {
  for (let i = 0; i < characters.length; i++) {
    const code = characters.charCodeAt(i);
    table[code] = (table[code] ?? 0) | bit;
  }
}

const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 0x21 + i));
const highBytes = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 0x80 + i));
add(charClass.token, `${alphanumeric}-.!%*_+\`'~`);
add(charClass.user, `${unreserved}%&=+$,;?/#`);
add(charClass.password, `${unreserved}%&=+$,`);
add(charClass.uriParam, `${unreserved}%[]/:&+$`);
add(charClass.uriHeader, `${unreserved}%[]/?:+$=&`);
add(charClass.host, `${alphanumeric}-._`);
add(charClass.value, visible.replaceAll(/[;,"<>\\]/g, '') + highBytes);
add(charClass.visible, visible + highBytes);

/** The character code at `at`, or -1 behind the end. (V8 compiles a `charCodeAt` that never misses far better.) */
export function codeAt(text: string, at: number): number {
  return at >= 0 && at < text.length ? text.charCodeAt(at) : -1;
}

/** The first index from `at` on whose character is not of the class. */
export function runEnd(text: string, at: number, bit: number): number {
  let end = at;
  while (end < text.length && ((table[text.charCodeAt(end)] ?? 0) & bit) !== 0) end++;
  return end;
}

/** Whether `text` is not empty and has only characters of the class. */
export function isRun(text: string, bit: number): boolean {
  return text.length > 0 && runEnd(text, 0, bit) === text.length;
}

/** Whether every `%` is followed by two hexadecimal digits (`escaped`, section 25.1). */
export function escapesAreWhole(text: string): boolean {
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 1)) {
    if (!isHexDigit(codeAt(text, at + 1)) || !isHexDigit(codeAt(text, at + 2))) return false;
  }
  return true;
}

function isHexDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);
}

/** The first index from `at` on that is neither space nor tab. Folded lines are unfolded before this is used. */
export function skipSpace(text: string, at: number): number {
  let end = at;
  for (let code = codeAt(text, end); code === 0x20 || code === 0x09; code = codeAt(text, end)) end++;
  return end;
}

/** The index after the quoted-string that begins at `at`, or -1 where it does not end. */
export function quotedEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i + 1;
  }
  return -1;
}
