import { setImmediate as turn } from 'node:timers/promises';
import { isDualhomeError } from '../../protocol/errors/index.ts';
import type { FieldError } from '../../protocol/errors/problem.ts';
import type { ImportLine } from '../../protocol/rest/import.ts';
import type { Intent } from '../change/intent.ts';
import type { Decoder, NumberedText, Values } from './decoder.ts';

export type RefusedLine = Extract<ImportLine, { type: 'refused' }>;

export type Batch = {
  readonly intents: readonly Intent[];
  readonly refused: readonly RefusedLine[];
};

/** Rows that are checked before other work gets its turn. */
const rowsPerTurn = 100;

/** The lines of one batch as intents; those that are none are told apart. */
export async function readBatch(
  lines: readonly NumberedText[],
  decode: Decoder,
  intentOf: (values: Values, where: string) => Intent,
): Promise<Batch> {
  const intents: Intent[] = [];
  const refused: RefusedLine[] = [];
  for (let start = 0; start < lines.length; start += rowsPerTurn) {
    if (start > 0) await turn();
    const part = lines.slice(start, start + rowsPerTurn);
    for (const [i, decoded] of decode(part).entries()) {
      const number = part[i]?.number ?? 0;
      try {
        if ('values' in decoded) intents.push(intentOf(decoded.values, `line ${number}`));
        else
          refused.push({ type: 'refused', line: number, faults: [{ column: null, message: decoded.fault }] });
      } catch (error) {
        refused.push(...refusedLines(error, number));
      }
    }
  }
  return { intents, refused };
}

/** The lines that a refusal names; the fallback line where it names none. @throws what is no refusal of rows */
export function refusedLines(error: unknown, fallback: number): readonly RefusedLine[] {
  if (!isDualhomeError(error, 'CONFIG_INVALID')) throw error;
  const errors = (error.facts['errors'] ?? []) as readonly FieldError[];
  const byLine = Map.groupBy(errors, ({ where }) => Number(/^line (\d+)$/.exec(where)?.[1] ?? fallback));
  return [...byLine].map(([line, faults]) => ({
    type: 'refused',
    line,
    faults: faults.map(({ path, message }) => ({ column: path === '' ? null : path.slice(1), message })),
  }));
}
