import { charClass, codeAt, escapesAreWhole, isRun, runEnd } from './characters.ts';
import { Params } from './params.ts';
import type { Param } from './params.ts';
import { parseNumberAt } from './text.ts';

/** A SIP or SIPS URI (RFC 3261 section 19.1). User and host are as written; comparison undoes escapes. */
export type SipUri = {
  readonly scheme: 'sip' | 'sips';
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly host: string;
  readonly port?: number | undefined;
  readonly params: Params;
  /** What stands behind `?`, as written. */
  readonly headers?: string | undefined;
};

/** A telephone number (RFC 3966), its visual separators kept. */
export type TelUri = { readonly scheme: 'tel'; readonly number: string; readonly params: Params };

/** A URI of a scheme this core does not speak; well-formed, otherwise opaque. */
export type OtherUri = { readonly scheme: 'other'; readonly text: string };

export type Uri = SipUri | TelUri | OtherUri;

/** Parses a URI without angle brackets; undefined where it is malformed. */
export function parseUri(text: string): Uri | undefined {
  const colon = text.indexOf(':');
  if (colon < 1 || !escapesAreWhole(text)) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme === 'sip' || scheme === 'sips') return parseSipRest(scheme, text, colon + 1);
  if (scheme === 'tel') return parseTelRest(text, colon + 1);
  const wellFormed =
    /^[a-z][a-z0-9+.-]*$/.test(scheme) &&
    isRun(text, charClass.visible) &&
    text.length > colon + 1 &&
    !/[<>"]/.test(text);
  return wellFormed ? { scheme: 'other', text } : undefined;
}

/** Parses a SIP or SIPS URI; any other or malformed one is undefined. */
export function parseSipUri(text: string): SipUri | undefined {
  const uri = parseUri(text);
  return uri && isSip(uri) ? uri : undefined;
}

export function isSip(uri: Uri): uri is SipUri {
  return uri.scheme === 'sip' || uri.scheme === 'sips';
}

/** The URI as text, without angle brackets. */
export function formatUri(uri: Uri): string {
  if (uri.scheme === 'other') return uri.text;
  if (uri.scheme === 'tel') return `tel:${uri.number}${uri.params.toString()}`;
  const userinfo =
    uri.user === undefined
      ? ''
      : uri.password === undefined
        ? `${uri.user}@`
        : `${uri.user}:${uri.password}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const headers = uri.headers === undefined ? '' : `?${uri.headers}`;
  return `${uri.scheme}:${userinfo}${uri.host}${port}${uri.params.toString()}${headers}`;
}

/** The end of the host at `at`: a name, an IPv4 address or a bracketed IPv6 address; `at` itself where there is none. */
export function hostEnd(text: string, at: number): number {
  if (codeAt(text, at) !== 0x5b) return runEnd(text, at, charClass.host);
  const close = text.indexOf(']', at);
  return close > at + 1 && /^[0-9a-fA-F:.]+$/.test(text.slice(at + 1, close)) ? close + 1 : at;
}

/** A port behind a colon: where it ends, and the port or undefined where it is none. */
export function parsePort(text: string, at: number): { end: number; port: number | undefined } {
  let end = at;
  while (end < text.length && text.charCodeAt(end) >= 0x30 && text.charCodeAt(end) <= 0x39) end++;
  return { end, port: parseNumberAt(text, at, end, 65_535) };
}

/** `[ userinfo "@" ] hostport uri-parameters [ headers ]` from `start` to the end. */
function parseSipRest(scheme: 'sip' | 'sips', text: string, start: number): SipUri | undefined {
  const userinfo = parseUserinfo(text, start, text.indexOf('@', start));
  if (!userinfo) return undefined;
  const end = hostEnd(text, userinfo.end);
  const hasPort = codeAt(text, end) === 0x3a;
  const { end: portEnd, port } = hasPort ? parsePort(text, end + 1) : { end, port: undefined };
  if (end === userinfo.end || (hasPort && port === undefined)) return undefined;
  const question = text.indexOf('?', portEnd);
  const paramsEnd = question < 0 ? text.length : question;
  const params = parseUriParams(text, portEnd, paramsEnd);
  if (!params || (question >= 0 && runEnd(text, question + 1, charClass.uriHeader) < text.length))
    return undefined;
  return {
    scheme,
    user: userinfo.user,
    password: userinfo.password,
    host: text.slice(userinfo.end, end),
    port,
    params,
    headers: question < 0 ? undefined : text.slice(question + 1),
  };
}

const noUserinfo = { user: undefined, password: undefined };

/** `user [ ":" password ] "@"` where the `@` is at `at`; `end` is where the host begins. */
function parseUserinfo(
  text: string,
  start: number,
  at: number,
): { user: string | undefined; password: string | undefined; end: number } | undefined {
  if (at < 0) return { ...noUserinfo, end: start };
  const userEnd = runEnd(text, start, charClass.user);
  if (userEnd === start) return undefined;
  const user = text.slice(start, userEnd);
  if (userEnd === at) return { user, password: undefined, end: at + 1 };
  const isPassword = codeAt(text, userEnd) === 0x3a && runEnd(text, userEnd + 1, charClass.password) === at;
  return isPassword ? { user, password: text.slice(userEnd + 1, at), end: at + 1 } : undefined;
}

/** `*( ";" uri-parameter )`; unlike header parameters it knows neither spaces nor quotes. */
function parseUriParams(text: string, start: number, end: number): Params | undefined {
  if (start === end) return Params.none;
  const list: Param[] = [];
  for (let at = start; at < end;) {
    const nameEnd = runEnd(text, at + 1, charClass.uriParam);
    if (text.charCodeAt(at) !== 0x3b || nameEnd === at + 1) return undefined;
    const name = text.slice(at + 1, nameEnd);
    const hasValue = codeAt(text, nameEnd) === 0x3d;
    at = hasValue ? runEnd(text, nameEnd + 1, charClass.uriParam) : nameEnd;
    if (hasValue && at === nameEnd + 1) return undefined;
    list.push({ name, value: hasValue ? text.slice(nameEnd + 1, at) : undefined });
  }
  return new Params(list);
}

/** RFC 3966 section 3: a global number behind `+`, or a local one of digits, `A`-`F`, `*` and `#`. */
function parseTelRest(text: string, start: number): TelUri | undefined {
  const semicolon = text.indexOf(';', start);
  const numberEnd = semicolon < 0 ? text.length : semicolon;
  const number = text.slice(start, numberEnd);
  const params = parseUriParams(text, numberEnd, text.length);
  const isNumber = /^\+[-.()]*\d[-.()\d]*$/.test(number) || /^[-.()]*[\da-f*#][-.()\da-f*#]*$/i.test(number);
  return params && isNumber ? { scheme: 'tel', number, params } : undefined;
}
