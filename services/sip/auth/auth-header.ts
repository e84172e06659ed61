import { charClass, codeAt, quotedEnd, runEnd, skipSpace } from '../message/characters.ts';
import { Params } from '../message/params.ts';
import type { Param } from '../message/params.ts';

/** A challenge or credentials (RFC 3261 section 25.1): a scheme, lower case, and its parameters. */
export type AuthHeader = { readonly scheme: string; readonly params: Params };

/** Parses the value of Authorization, WWW-Authenticate or their Proxy forms; undefined where it is malformed. */
export function parseAuthHeader(text: string): AuthHeader | undefined {
  const schemeEnd = runEnd(text, 0, charClass.token);
  if (schemeEnd === 0) return undefined;
  const list: Param[] = [];
  for (let at = skipSpace(text, schemeEnd); at < text.length;) {
    const nameEnd = runEnd(text, at, charClass.token);
    const equals = skipSpace(text, nameEnd);
    if (nameEnd === at || codeAt(text, equals) !== 0x3d) return undefined;
    const start = skipSpace(text, equals + 1);
    const end = codeAt(text, start) === 0x22 ? quotedEnd(text, start) : runEnd(text, start, charClass.value);
    if (end <= start) return undefined;
    list.push({ name: text.slice(at, nameEnd), value: text.slice(start, end) });
    const comma = skipSpace(text, end);
    if (comma < text.length && codeAt(text, comma) !== 0x2c) return undefined;
    at = skipSpace(text, comma + 1);
  }
  return { scheme: text.slice(0, schemeEnd).toLowerCase(), params: new Params(list) };
}
