import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { Secret } from '../../services/platform/logging/secret.ts';

/** One request whose body is sent bit by bit, while its answer is read line by line. */
export class NdjsonRequest implements Disposable {
  readonly #request: ClientRequest;
  readonly #response: Promise<IncomingMessage>;
  #lines: AsyncIterator<string> | undefined;

  constructor(url: string, token: Secret, type = 'application/x-ndjson') {
    this.#request = request(url, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${token.reveal()}` },
    });
    this.#request.on('error', () => undefined);
    this.#response = once(this.#request, 'response').then(([response]) => response as IncomingMessage);
    this.#response.catch(() => undefined);
    this.#request.flushHeaders();
  }

  send(...values: readonly object[]): void {
    this.write(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  }

  write(bytes: string | Uint8Array): boolean {
    return this.#request.write(bytes);
  }

  /** Resolves when what was written has left. */
  async drained(): Promise<void> {
    await once(this.#request, 'drain');
  }

  end(): void {
    this.#request.end();
  }

  /** The next line of the answer; undefined at its end. */
  async next(): Promise<unknown> {
    this.#lines ??= createInterface({ input: await this.#response })[Symbol.asyncIterator]();
    const { done, value } = await this.#lines.next();
    return done ? undefined : (JSON.parse(value) as unknown);
  }

  /** The lines that are left. */
  async rest(): Promise<readonly unknown[]> {
    const lines: unknown[] = [];
    for (let line = await this.next(); line !== undefined; line = await this.next()) lines.push(line);
    return lines;
  }

  /** Breaks off. */
  [Symbol.dispose](): void {
    this.#request.destroy();
  }
}
