import { charClass, codeAt, quotedEnd, runEnd, skipSpace } from './characters.ts';
import { parseParams } from './params.ts';
import type { Params } from './params.ts';
import { parseUri } from './uri.ts';
import type { Uri } from './uri.ts';

/** `name-addr` or `addr-spec` with header parameters: From, To, Contact, Route, Path and the like (section 20.10). */
export type Address = {
  /** As written, quotes included. */
  readonly displayName?: string | undefined;
  /** The URI as written, without angle brackets. */
  readonly uriText: string;
  readonly uri: Uri;
  readonly params: Params;
};

/** Parses one address (one value of a list); undefined where it is malformed. */
export function parseAddress(text: string): Address | undefined {
  const start = skipSpace(text, 0);
  const bracket = codeAt(text, start) === 0x22 ? bracketAfterQuoted(text, start) : text.indexOf('<', start);
  return bracket < 0 ? parseAddrSpec(text, start) : parseNameAddr(text, start, bracket);
}

/** An address as text; the URI always in angle brackets, so that its parameters stay its own. */
export function formatAddress(address: Pick<Address, 'displayName' | 'uriText' | 'params'>): string {
  const displayName = address.displayName === undefined ? '' : `${address.displayName} `;
  return `${displayName}<${address.uriText}>${address.params.toString()}`;
}

/** The `<` behind the quoted display name that begins at `start`, or -1. */
function bracketAfterQuoted(text: string, start: number): number {
  const end = quotedEnd(text, start);
  const bracket = end < 0 ? -1 : skipSpace(text, end);
  return codeAt(text, bracket) === 0x3c ? bracket : -1;
}

function parseNameAddr(text: string, start: number, bracket: number): Address | undefined {
  const close = text.indexOf('>', bracket);
  const displayName = text.slice(start, bracket).trimEnd();
  if (close < 0 || !isDisplayName(displayName)) return undefined;
  return address(
    displayName === '' ? undefined : displayName,
    text.slice(bracket + 1, close),
    parseParams(text, close + 1),
  );
}

/**
 * Section 20: without angle brackets everything behind the first `;` belongs to the header field, and a URI
 * with a comma, question mark or semicolon must not be written so.
 */
function parseAddrSpec(text: string, start: number): Address | undefined {
  let end = start;
  while (end < text.length && !' \t;,?"'.includes(text.charAt(end))) end++;
  return address(undefined, text.slice(start, end), parseParams(text, end));
}

function address(
  displayName: string | undefined,
  uriText: string,
  params: Params | undefined,
): Address | undefined {
  const uri = parseUri(uriText);
  return uri && params ? { displayName, uriText, uri, params } : undefined;
}

/** `*(token LWS) / quoted-string`, where words may also be UTF-8, as some phones send it. */
function isDisplayName(text: string): boolean {
  if (codeAt(text, 0) === 0x22) return true;
  for (let at = 0; at < text.length;) {
    const tokenEnd = runEnd(text, at, charClass.token);
    const end = codeAt(text, tokenEnd) >= 0x80 ? tokenEnd + 1 : tokenEnd;
    if (end === at) return false;
    at = skipSpace(text, end);
  }
  return true;
}
