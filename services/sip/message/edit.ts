import { canonicalName } from './header-name.ts';
import { splitList } from './list.ts';
import { assemble } from './message.ts';
import type { Request, Response } from './message.ts';
import { headerSafe } from './text.ts';

/** One header field line with its line break; an untouched one is byte for byte what came. */
type Line = { readonly name: string; readonly text: string };

/**
 * Changes to a received message before it is passed on. The head is taken as its lines: lines that no call
 * names stay as they came, and so does the body. The message itself is not changed.
 */
export class MessageEdit {
  #startLine: string;
  #lines: Line[];
  #body: Uint8Array;

  constructor(message: Request | Response) {
    const { head, body } = message;
    this.#startLine = head.text.slice(0, head.fieldsStart);
    this.#lines = head.fields.map(({ name, start, end }) => ({ name, text: head.text.slice(start, end) }));
    this.#body = body;
  }

  /** Puts another Request-URI into the start line; nothing else of the line changes. */
  requestUri(uri: string): this {
    const [method = '', , version = ''] = this.#startLine.split(' ');
    this.#startLine = `${method} ${headerSafe(uri)} ${version}`;
    return this;
  }

  /** Makes `value` the first of its field: Via, Record-Route, Route and Path grow at the top. */
  push(name: string, value: string): this {
    this.#lines.unshift(newLine(name, value));
    return this;
  }

  /** Adds `value` as the last of its field. */
  append(name: string, value: string): this {
    this.#lines.push(newLine(name, value));
    return this;
  }

  /** Removes the first value of a comma-separated field and gives it back. */
  pop(name: string): string | undefined {
    const canonical = canonicalName(name);
    const at = this.#lines.findIndex((line) => line.name === canonical);
    const line = this.#lines[at];
    if (!line) return undefined;
    const [first, ...others] = splitList(valueOf(line));
    if (others.length === 0) this.#lines.splice(at, 1);
    else this.#lines[at] = newLine(name, others.join(', '));
    return first;
  }

  /** Makes `value` the whole of its field, where the field stood or at the end. */
  set(name: string, value: string): this {
    const canonical = canonicalName(name);
    const at = this.#lines.findIndex((line) => line.name === canonical);
    if (at < 0) return this.append(name, value);
    this.#lines = this.#lines.filter((line, i) => i <= at || line.name !== canonical);
    this.#lines[at] = newLine(name, value);
    return this;
  }

  /** Removes every line of the field. */
  remove(name: string): this {
    const canonical = canonicalName(name);
    this.#lines = this.#lines.filter((line) => line.name !== canonical);
    return this;
  }

  /** The message as it now is. Content-Length is added where it was missing: streams need it (section 18.3). */
  toBuffer(): Buffer {
    if (!this.#lines.some((line) => line.name === 'content-length')) {
      this.append('Content-Length', String(this.#body.length));
    }
    let head = this.#startLine;
    for (const { text } of this.#lines) head += text;
    return assemble(`${head}\r\n`, this.#body);
  }
}

function newLine(name: string, value: string): Line {
  return { name: canonicalName(name), text: `${headerSafe(name)}: ${headerSafe(value)}\r\n` };
}

function valueOf(line: Line): string {
  const value = line.text.slice(line.text.indexOf(':') + 1);
  return value.replaceAll(/\r\n[ \t]*/g, ' ').trim();
}
