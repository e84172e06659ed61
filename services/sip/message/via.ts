import { charClass, codeAt, runEnd, skipSpace } from './characters.ts';
import { parseParams } from './params.ts';
import type { Params } from './params.ts';
import { hostEnd, parsePort } from './uri.ts';

/** One Via value (section 20.42): `SIP/2.0/transport sent-by;params`. */
export type Via = {
  /** Upper case: UDP, TCP, TLS, or whatever the sender wrote. */
  readonly transport: string;
  readonly host: string;
  readonly port?: number | undefined;
  readonly params: Params;
};

/** Begins every branch that is unique by itself (section 8.1.1.7). */
export const magicCookie = 'z9hG4bK';

/** Parses one Via value; undefined where it is malformed. */
export function parseVia(text: string): Via | undefined {
  const version = afterSlash(text, tokenEnd(text, skipSpace(text, 0)));
  const transport = version < 0 ? -1 : afterSlash(text, tokenEnd(text, version));
  const transportEnd = transport < 0 ? -1 : tokenEnd(text, transport);
  const sentBy = transportEnd < 0 ? -1 : skipSpace(text, transportEnd);
  if (sentBy <= transportEnd) return undefined;
  const end = hostEnd(text, sentBy);
  const colon = skipSpace(text, end);
  const hasPort = codeAt(text, colon) === 0x3a;
  const { end: portEnd, port } = hasPort
    ? parsePort(text, skipSpace(text, colon + 1))
    : { end, port: undefined };
  const params = parseParams(text, portEnd);
  if (end === sentBy || (hasPort && port === undefined) || !params) return undefined;
  return {
    transport: text.slice(transport, transportEnd).toUpperCase(),
    host: text.slice(sentBy, end),
    port,
    params,
  };
}

export function formatVia({ transport, host, port, params }: Via): string {
  return `SIP/2.0/${transport} ${host}${port === undefined ? '' : `:${port}`}${params.toString()}`;
}

/** The end of the token at `at`, or -1 where there is none. */
function tokenEnd(text: string, at: number): number {
  const end = at < 0 ? -1 : runEnd(text, at, charClass.token);
  return end > at ? end : -1;
}

/** The index of what follows `SLASH` (`SWS "/" SWS`) at `at`, or -1. */
function afterSlash(text: string, at: number): number {
  const slash = at < 0 ? -1 : skipSpace(text, at);
  return codeAt(text, slash) === 0x2f ? skipSpace(text, slash + 1) : -1;
}
