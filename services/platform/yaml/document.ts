import { LineCounter, isCollection, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';

/** Keys and list indexes that lead from the root to a value. */
export type YamlPath = readonly (string | number)[];

/** Where something stands in the text; both count from 1. */
export type YamlPlace = { readonly line: number; readonly column: number };

/** What the YAML itself has wrong. */
export type YamlFault = YamlPlace & { readonly message: string };

/** Nesting and aliases that no configuration of ours needs. */
const aliasesMax = 0;

/** A YAML text that can be read, located and edited; editing keeps its comments. */
export class YamlDocument {
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(text: string) {
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: true,
    });
  }

  /** Everything that keeps the text from being YAML (aliases included, which are not accepted). */
  get faults(): readonly YamlFault[] {
    const faults = this.#document.errors.map(({ message, pos: [offset] }) => ({
      ...this.#placeOf(offset),
      message,
    }));
    visit(this.#document, {
      Alias: (_key, { range }) => {
        faults.push({ ...this.#placeOf(range?.[0] ?? 0), message: 'Aliases are not accepted' });
      },
    });
    return faults;
  }

  /** Its content as plain values; only of a document without faults. */
  get value(): unknown {
    return this.#document.toJS({ maxAliasCount: aliasesMax });
  }

  /** Where the value at `path` stands; the deepest part of the path that exists, where it does not. */
  locate(path: YamlPath): YamlPlace {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const step of path) {
      if (!isCollection(node)) break;
      const pair = isMap(node)
        ? node.items.find(({ key }) => (isScalar(key) ? key.value : key) === step)
        : undefined;
      const next: unknown = pair ? pair.value : node.get(step, true);
      if (pair === undefined && !isNode(next)) break;
      const shown: unknown = isScalar(next) && next.value !== null ? next : (pair?.key ?? next);
      if (isNode(shown)) offset = shown.range?.[0] ?? offset;
      node = next;
    }
    return this.#placeOf(offset);
  }

  /** Puts `value` at `path`, in place of what is there. */
  set(path: YamlPath, value: unknown): void {
    this.#document.setIn(path, this.#document.createNode(value));
  }

  /** Appends `value` to the list at `path`, made when missing. */
  append(path: YamlPath, value: unknown): void {
    const list = this.#document.getIn(path);
    if (!isCollection(list) || list.items.length === 0) this.set(path, [value]);
    else this.#document.addIn(path, this.#document.createNode(value));
  }

  /** Takes out the value at `path`. */
  delete(path: YamlPath): void {
    this.#document.deleteIn(path);
  }

  toString(): string {
    return this.#document.toString({ lineWidth: 0 });
  }

  #placeOf(offset: number): YamlPlace {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}
