import { isDualhomeError } from '../../protocol/errors/index.ts';

/** Causes deeper than this are cut off. */
const causesMax = 5;

/** An error as a log line shows it: code, facts and action where registered, the stack, and its causes. */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const code: unknown = 'code' in error ? error.code : undefined;
  const inner = [
    ...(cause === undefined ? [] : [cause]),
    ...(error instanceof AggregateError ? error.errors : []),
    ...(error instanceof SuppressedError ? [error.error, error.suppressed] : []),
  ];
  return {
    type: name,
    code,
    message,
    ...(isDualhomeError(error) ? { facts: error.facts, action: error.definition.action } : {}),
    stack,
    ...(inner.length > 0 && depth < causesMax
      ? { causes: inner.map((each) => serializeError(each, depth + 1)) }
      : {}),
  };
}
