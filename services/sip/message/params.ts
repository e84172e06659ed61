import { charClass, codeAt, quotedEnd, runEnd, skipSpace } from './characters.ts';
import { unquoted } from './text.ts';

/** One parameter as written; a flag such as `lr` has no value. */
export type Param = { readonly name: string; readonly value?: string | undefined };

/**
 * Parameters in their order. Names are compared without case (section 7.3.1) and never become object keys.
 * Immutable: `with` and `without` give new ones.
 */
export class Params {
  static readonly none: Params = new Params([]);

  readonly list: readonly Param[];

  constructor(list: readonly Param[]) {
    this.list = list;
  }

  /** Value of the parameter, quotes removed; undefined where it is absent or a flag. `name` in lower case. */
  get(name: string): string | undefined {
    const value = find(this.list, name)?.value;
    return value === undefined ? undefined : unquoted(value);
  }

  has(name: string): boolean {
    return find(this.list, name) !== undefined;
  }

  /** These parameters with `name` set where it stands, or at the end. */
  with(name: string, value?: string): Params {
    const param = { name, value };
    if (!this.has(name)) return new Params([...this.list, param]);
    return new Params(this.list.map((each) => (isNamed(each, name) ? param : each)));
  }

  without(name: string): Params {
    return new Params(this.list.filter((each) => !isNamed(each, name)));
  }

  /** As they stand in a header field: `;name=value;flag`. */
  toString(): string {
    let text = '';
    for (const { name, value } of this.list) text += value === undefined ? `;${name}` : `;${name}=${value}`;
    return text;
  }
}

function find(list: readonly Param[], name: string): Param | undefined {
  for (const param of list) if (isNamed(param, name)) return param;
  return undefined;
}

function isNamed(param: Param, lowerCaseName: string): boolean {
  return (
    param.name.length === lowerCaseName.length &&
    (param.name === lowerCaseName || param.name.toLowerCase() === lowerCaseName)
  );
}

/** Reads `*(SEMI generic-param)` from `at` to the end of `text`; undefined where that is not what stands there. */
export function parseParams(text: string, at: number): Params | undefined {
  let next = skipSpace(text, at);
  if (next === text.length) return Params.none;
  const list: Param[] = [];
  while (next < text.length) {
    if (codeAt(text, next) !== 0x3b) return undefined;
    const nameStart = skipSpace(text, next + 1);
    const nameEnd = runEnd(text, nameStart, charClass.token);
    if (nameEnd === nameStart) return undefined;
    const name = text.slice(nameStart, nameEnd);
    next = skipSpace(text, nameEnd);
    if (codeAt(text, next) !== 0x3d) {
      list.push({ name, value: undefined });
      continue;
    }
    const valueStart = skipSpace(text, next + 1);
    const valueEnd =
      codeAt(text, valueStart) === 0x22
        ? quotedEnd(text, valueStart)
        : runEnd(text, valueStart, charClass.value);
    if (valueEnd <= valueStart) return undefined;
    list.push({ name, value: text.slice(valueStart, valueEnd) });
    next = skipSpace(text, valueEnd);
  }
  return new Params(list);
}
