import { parseAddress } from './address.ts';
import type { Address } from './address.ts';
import { parseCSeq } from './fields.ts';
import type { CSeq } from './fields.ts';
import type { Refusal } from './limits.ts';
import { firstOfList, splitList } from './list.ts';
import { parseNumber } from './text.ts';
import { parseUri } from './uri.ts';
import type { Uri } from './uri.ts';
import { parseVia } from './via.ts';
import type { Via } from './via.ts';

/** Where one header field stands in the head. */
export type HeaderField = {
  /** Canonical name: long form, lower case. */
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** After the line break. */
  readonly end: number;
  /** Whether the value goes on in further lines (section 7.3.1). */
  readonly folded: boolean;
};

/** The first line of a message; a request's URI and version are as written. */
export type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string };

/** What the parser found out about start line and header fields. */
export type Head<S extends StartLine = StartLine> = {
  /** Byte string from the start line to the empty line, both included. */
  readonly text: string;
  readonly startLine: S;
  /** After the start line's line break. */
  readonly fieldsStart: number;
  readonly fields: readonly HeaderField[];
  /** From Content-Length; undefined where it is absent or wrong. */
  readonly contentLength: number | undefined;
  /** The first thing found wrong; such a message may be answered, never forwarded. */
  readonly fault: Refusal | undefined;
};

/** What requests and responses have in common: header fields, parsed when asked for, and a body. */
class Message<S extends StartLine> {
  readonly head: Head<S>;
  readonly body: Buffer;
  #via: Via | undefined;
  #from: Address | undefined;
  #to: Address | undefined;
  #cseq: CSeq | undefined;

  /** `via` is the topmost one, where it is parsed already. */
  constructor(head: Head<S>, body: Buffer, via?: Via) {
    this.head = head;
    this.body = body;
    this.#via = via;
  }

  /** Whether a field of the name is there. Names here and below are canonical: long form, lower case. */
  has(name: string): boolean {
    return firstField(this.head, name) !== undefined;
  }

  /** The first field's whole value, unfolded. */
  value(name: string): string | undefined {
    const field = firstField(this.head, name);
    return field && valueOf(this.head.text, field);
  }

  /** The whole value of every field of the name, for fields that are no comma-separated lists. */
  lines(name: string): string[] {
    return this.fields(name).map((field) => valueOf(this.head.text, field));
  }

  /** Every value of a comma-separated field, over all its lines (section 7.3.1). */
  values(name: string): string[] {
    const values: string[] = [];
    for (const field of this.head.fields) {
      if (field.name === name) values.push(...splitList(valueOf(this.head.text, field)));
    }
    return values;
  }

  /** The first value of a comma-separated field. */
  top(name: string): string | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : firstOfList(value);
  }

  fields(name: string): HeaderField[] {
    return this.head.fields.filter((field) => field.name === name);
  }

  /** Every value as an address; undefined where one of them is malformed. */
  addresses(name: string): Address[] | undefined {
    const addresses: Address[] = [];
    for (const value of this.values(name)) {
      const address = parseAddress(value);
      if (!address) return undefined;
      addresses.push(address);
    }
    return addresses;
  }

  /** The topmost Via; undefined where it is absent or malformed, as below. */
  get via(): Via | undefined {
    return (this.#via ??= parsed(this.top('via'), parseVia));
  }

  get from(): Address | undefined {
    return (this.#from ??= parsed(this.value('from'), parseAddress));
  }

  get to(): Address | undefined {
    return (this.#to ??= parsed(this.value('to'), parseAddress));
  }

  get cseq(): CSeq | undefined {
    return (this.#cseq ??= parsed(this.value('cseq'), parseCSeq));
  }

  get callId(): string | undefined {
    return this.value('call-id');
  }

  /** The message as it came; bytes behind its Content-Length are left out (section 18.3). */
  toBuffer(): Buffer {
    return assemble(this.head.text, this.body);
  }
}

/** A request. Its getters never throw; what is malformed reads as undefined, and `refusalOf` says so. */
export class Request extends Message<StartLine & { kind: 'request' }> {
  readonly kind = 'request';
  #uri: Uri | undefined;

  get method(): string {
    return this.head.startLine.method;
  }

  /** The Request-URI as written. */
  get uriText(): string {
    return this.head.startLine.uri;
  }

  get uri(): Uri | undefined {
    return (this.#uri ??= parsed(this.uriText, parseUri));
  }

  get maxForwards(): number | undefined {
    return parseNumber(this.value('max-forwards'), 255);
  }
}

/** A response. */
export class Response extends Message<StartLine & { kind: 'response' }> {
  readonly kind = 'response';

  get status(): number {
    return this.head.startLine.status;
  }

  get reason(): string {
    return this.head.startLine.reason;
  }
}

/** Head and body as one piece of bytes. */
export function assemble(head: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 'latin1');
  bytes.set(body, head.length);
  return bytes;
}

function firstField(head: Head, name: string): HeaderField | undefined {
  for (const field of head.fields) if (field.name === name) return field;
  return undefined;
}

/** A field's value without the spaces around it, folds undone. */
function valueOf(text: string, field: HeaderField): string {
  const value = text.slice(field.valueStart, field.valueEnd);
  return field.folded ? value.replaceAll(/\r\n[ \t]+/g, ' ').trim() : value;
}

function parsed<T>(text: string | undefined, parse: (text: string) => T | undefined): T | undefined {
  return text === undefined ? undefined : parse(text);
}
