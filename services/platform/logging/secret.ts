import { inspect } from 'node:util';

const shown = '[secret]';

/** A value that is shown to nobody: logs, JSON, string concatenation and the inspector print `[secret]`. */
export class Secret<T extends string | Uint8Array = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself; call it where the value is used, not before. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}
