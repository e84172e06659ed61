import type { Statement } from './statement.ts';

/** A piece of a statement with parameters of its own; `parameter(1)` is how its text names the first of them. */
export type Part = {
  /** Unique within a statement; parts of one name have one text. */
  readonly name: string;
  readonly text: (parameter: (n: number) => string) => string;
  readonly values: readonly unknown[];
};

/** One value of the row that a statement returns; without one of them a part that only changes rows returns nothing. */
export type Composition = {
  /** Data-modifying parts; all see the rows as they were before the statement, and none the others' effects. */
  readonly parts: readonly Part[];
  /** What is selected at the end; may refer to parts by name. */
  readonly selected: readonly Part[];
};

/** Of a prepared statement's name the server compares so many bytes (NAMEDATALEN). */
const nameMax = 63;

const composed = new Map<string, { readonly name: string; readonly text: string }>();

/**
 * One statement of several: the server takes it in, plans it and answers it once, where each statement of its own costs
 * both sides 30 to 60 us. It is prepared under a name made of the names of its parts, as far as they fit, and a number.
 */
export function composeStatement({ parts, selected }: Composition): Statement {
  const all = [...parts, ...selected];
  const names = all.map((part) => part.name).join('+');
  const values = all.flatMap((part) => part.values);
  const known = composed.get(names);
  if (known) return { ...known, values };
  let before = 0;
  const written = all.map((part) => {
    const first = before;
    before += part.values.length;
    return part.text((n) => `$${first + n}`);
  });
  const ctes = parts.map((part, i) => `${part.name} as (${written[i]})`);
  const text = `with ${ctes.join(',\n')}\nselect ${written.slice(parts.length).join(', ')}`;
  const number = `#${composed.size}`;
  const statement = { name: names.slice(0, nameMax - number.length) + number, text };
  composed.set(names, statement);
  return { ...statement, values };
}

/** A part as a statement of its own. */
export function statementOf({ name, text, values }: Part): Statement {
  return { name, text: text((n) => `$${n}`), values };
}
