import { charClass, codeAt, isRun, runEnd, skipSpace } from './characters.ts';
import { canonicalName } from './header-name.ts';
import { badRequest } from './limits.ts';
import type { MessageLimits, Refusal } from './limits.ts';
import type { Head, HeaderField, StartLine } from './message.ts';
import { parseNumber } from './text.ts';

/**
 * Indexes a head: one pass over its lines that notes where each header field stands and looks into none but
 * Content-Length. What is wrong is noted as the head's fault and the rest still indexed, so that a request can
 * be answered. Undefined where the first line is neither a request's nor a response's.
 *
 * `text` begins with the start line and ends after the empty line.
 */
export function parseHead(text: string, limits: MessageLimits): Head | undefined {
  const firstEnd = lineEnd(text, 0);
  const line = text.slice(0, firstEnd);
  const start = line.startsWith('SIP/') ? parseStatusLine(line) : parseRequestLine(line);
  if (!start) return undefined;
  const fieldsStart = Math.min(firstEnd + 2, text.length);
  const { fields, fault } = indexFields(text, fieldsStart, limits);
  const lengths = fields.filter(({ name }) => name === 'content-length');
  const [length] = lengths;
  const contentLength =
    length && lengths.length === 1
      ? parseNumber(text.slice(length.valueStart, length.valueEnd), Number.MAX_SAFE_INTEGER)
      : undefined;
  return {
    text,
    startLine: start.line,
    fieldsStart,
    fields,
    contentLength,
    fault: sizeFault(text, limits) ?? start.fault ?? fault ?? lengthFault(lengths.length, contentLength),
  };
}

type Parsed<T> = T & { readonly fault: Refusal | undefined };

const malformedRequestLine = badRequest('Malformed Request-Line');

/** `Method SP Request-URI SP SIP-Version`, with one space each (section 7.1). */
function parseRequestLine(line: string): Parsed<{ line: StartLine }> | undefined {
  const methodEnd = runEnd(line, 0, charClass.token);
  const uriEnd = line.lastIndexOf(' ');
  if (methodEnd === 0 || codeAt(line, methodEnd) !== 0x20) return undefined;
  const uri = line.slice(methodEnd + 1, Math.max(uriEnd, methodEnd + 1));
  const fault = isRun(uri, charClass.visible) ? versionFault(line.slice(uriEnd + 1)) : malformedRequestLine;
  return { line: { kind: 'request', method: line.slice(0, methodEnd), uri }, fault };
}

/** Section 21.5.6 where the version is another one. */
function versionFault(version: string): Refusal | undefined {
  if (version === 'SIP/2.0') return undefined;
  if (!/^SIP\/\d+\.\d+$/i.test(version)) return malformedRequestLine;
  return version.toUpperCase() === 'SIP/2.0' ? undefined : { status: 505, reason: 'Version Not Supported' };
}

/** `SIP-Version SP Status-Code SP Reason-Phrase`; the reason may be empty, its space missing (section 7.2). */
function parseStatusLine(line: string): Parsed<{ line: StartLine }> | undefined {
  const match = /^SIP\/2\.0 (\d+)(?: (.*))?$/.exec(line);
  if (!match) return undefined;
  const status = parseNumber(match[1], 699) ?? 0;
  const fault = status < 100 ? badRequest('Malformed Status-Line') : undefined;
  return { line: { kind: 'response', status, reason: match[2] ?? '' }, fault };
}

function indexFields(text: string, start: number, limits: MessageLimits): Parsed<{ fields: HeaderField[] }> {
  const fields: HeaderField[] = [];
  let fault: Refusal | undefined;
  for (let at = start; at < text.length && !text.startsWith('\r\n', at);) {
    const first = lineEnd(text, at);
    const end = foldedEnd(text, first);
    const field = end <= text.length ? indexField(text, at, end, end !== first) : undefined;
    if (!field || hasBareBreak(text, at, end)) fault ??= badRequest('Malformed Header Field');
    else if (fields.length < limits.headerFieldsMax) fields.push(field);
    else fault ??= tooLarge;
    at = end + 2;
  }
  if (!text.endsWith('\r\n\r\n')) fault ??= badRequest('No Empty Line Behind Header Fields');
  return { fields, fault };
}

/** `field-name HCOLON field-value` in `text[at..end)`; undefined where it is not that. */
function indexField(text: string, at: number, end: number, folded: boolean): HeaderField | undefined {
  const nameEnd = runEnd(text, at, charClass.token);
  const colon = skipSpace(text, nameEnd);
  if (nameEnd === at || codeAt(text, colon) !== 0x3a || colon >= end) return undefined;
  const valueStart = Math.min(skipSpace(text, colon + 1), end);
  let valueEnd = end;
  while (valueEnd > valueStart && isSpace(codeAt(text, valueEnd - 1))) valueEnd--;
  return { name: canonicalName(text, at, nameEnd), start: at, valueStart, valueEnd, end: end + 2, folded };
}

/** Where the line's CRLF begins. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\r\n', at);
  return end < 0 ? text.length : end;
}

/** Where the last continuation line ends, if lines that begin with a space or tab follow (section 7.3.1). */
function foldedEnd(text: string, first: number): number {
  let end = first;
  while (isSpace(codeAt(text, end + 2))) end = lineEnd(text, end + 2);
  return end;
}

/** A CR or LF that is no line break here but may be one to the next hop: a way to smuggle header fields. */
function hasBareBreak(text: string, at: number, end: number): boolean {
  for (let lf = text.indexOf('\n', at); lf >= 0 && lf < end; lf = text.indexOf('\n', lf + 1)) {
    if (codeAt(text, lf - 1) !== 0x0d) return true;
  }
  for (let cr = text.indexOf('\r', at); cr >= 0 && cr < end; cr = text.indexOf('\r', cr + 1)) {
    if (codeAt(text, cr + 1) !== 0x0a) return true;
  }
  return false;
}

const tooLarge: Refusal = { status: 513, reason: 'Message Too Large' };

function sizeFault(text: string, limits: MessageLimits): Refusal | undefined {
  return text.length > limits.headBytesMax ? tooLarge : undefined;
}

function lengthFault(count: number, contentLength: number | undefined): Refusal | undefined {
  if (count > 1) return badRequest('More Than One Content-Length');
  return count === 1 && contentLength === undefined ? badRequest('Malformed Content-Length') : undefined;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
