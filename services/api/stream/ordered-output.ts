import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Writes texts that become known in any order in the order in which they were announced.
 *
 * Invariant: at most `underWayMax` are announced and not yet written out.
 */
export class OrderedOutput {
  readonly #output: Writable;
  readonly #underWayMax: number;
  readonly #slots: { text: string | undefined }[] = [];
  #flushing = false;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(output: Writable, underWayMax: number) {
    this.#output = output;
    this.#underWayMax = underWayMax;
  }

  /** Announces a text; it must not reject. */
  add(text: Promise<string>): void {
    const slot: { text: string | undefined } = { text: undefined };
    this.#slots.push(slot);
    void text.then((known) => {
      slot.text = known;
      this.#scheduleFlush();
    });
  }

  /** Resolves when another text may be announced, and the reader keeps up. */
  async room(): Promise<void> {
    while (this.#slots.length >= this.#underWayMax) await this.#changed();
    if (this.#output.writableNeedDrain)
      await Promise.race([once(this.#output, 'drain'), once(this.#output, 'close')]);
  }

  /** Resolves when all that was announced is written. */
  async written(): Promise<void> {
    while (this.#slots.length > 0) await this.#changed();
  }

  async #changed(): Promise<void> {
    this.#room ??= Promise.withResolvers();
    await this.#room.promise;
  }

  /** What becomes known together is written together. */
  #scheduleFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    let ready = 0;
    let text = '';
    for (const slot of this.#slots) {
      if (slot.text === undefined) break;
      text += slot.text;
      ready += 1;
    }
    if (ready === 0) return;
    this.#slots.splice(0, ready);
    if (!this.#output.destroyed) this.#output.write(text);
    this.#room?.resolve();
    this.#room = undefined;
  }
}
