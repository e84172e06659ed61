import { styleText } from 'node:util';
import { isDualhomeError, messageOf } from '../../protocol/errors/index.ts';

type Style = Parameters<typeof styleText>[0];

/** Where a verb's words go: the result to standard output, everything about the way to it to standard error. */
export class Output {
  /** JSON instead of text: one document, or one line each where a verb says so. */
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** The result: `value` as JSON, or what `render` makes of it for a person. */
  result(value: unknown, render: () => string): void {
    const text = this.json ? JSON.stringify(value) : render();
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Something a person may want to know meanwhile. */
  note(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`);
  }

  /** What happened, its code, and what to do about it. */
  error(error: unknown): void {
    process.stderr.write(`${this.json ? JSON.stringify(errorFacts(error)) : this.#describe(error)}\n`);
  }

  /** Coloured on a terminal that wants it (NO_COLOR), plain elsewhere. */
  style(style: Style, text: string): string {
    return this.json ? text : styleText(style, text, { stream: process.stdout });
  }

  #describe(error: unknown): string {
    const red = (text: string): string => styleText('red', text, { stream: process.stderr });
    if (!isDualhomeError(error)) return `${red('Failed:')} ${messageOf(error)}`;
    const { summary, action } = error.definition;
    const detail = error.detail === undefined ? '' : `\n  ${error.detail.trim()}`;
    return `${red(`${error.code}:`)} ${summary}${detail}\n${action}`;
  }
}

/** An error as scripts read it. */
export function errorFacts(error: unknown): object {
  if (!isDualhomeError(error)) return { error: { message: messageOf(error) } };
  const { summary, action, retry } = error.definition;
  return { error: { code: error.code, summary, detail: error.detail, action, retry, facts: error.facts } };
}
