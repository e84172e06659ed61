import { z } from 'zod';
import { DualhomeError, errorRegistry } from './index.ts';
import type { ErrorCode } from './index.ts';

const typePrefix = 'urn:dualhome:error:';

/** One field of a request that is not as it should be; `path` is a JSON Pointer (RFC 6901) into `where`. */
const fieldErrorSchema = z.object({ where: z.string(), path: z.string(), message: z.string() });

export type FieldError = z.infer<typeof fieldErrorSchema>;

/** An error as HTTP carries it: problem details (RFC 9457), media type application/problem+json. */
export const problemSchema = z.object({
  type: z.string().describe('urn:dualhome:error:<CODE>'),
  title: z.string().describe('What kind of error this is'),
  status: z.int(),
  detail: z.string().optional().describe('One sentence about this occurrence'),
  instance: z.string().optional().describe('The id of the request, as the log has it'),
  action: z.string().describe('What to do about it'),
  retry: z.enum(['yes', 'later', 'no']).describe('Whether asking again can help'),
  facts: z.record(z.string(), z.unknown()).optional(),
  errors: z.array(fieldErrorSchema).optional().describe('The fields that are not valid'),
});

export type Problem = z.infer<typeof problemSchema>;

/** `error` as problem details; `instance` is the request's id. */
export function problemOf(error: DualhomeError, instance?: string): Problem {
  const { summary, action, retry, http } = error.definition;
  const { errors, ...facts } = error.facts;
  const fieldErrors = z.array(fieldErrorSchema).safeParse(errors);
  return {
    type: `${typePrefix}${error.code}`,
    title: summary,
    status: http,
    detail: error.detail,
    instance,
    action,
    retry,
    ...(Object.keys(facts).length > 0 ? { facts } : {}),
    ...(fieldErrors.success ? { errors: fieldErrors.data } : {}),
  };
}

/** The error that problem details describe; API_ANSWER_INVALID where they are not ours or from a later version. */
export function errorOfProblem(body: unknown, status: number): DualhomeError {
  const problem = problemSchema.safeParse(body);
  const code = problem.success ? codeOf(problem.data.type) : undefined;
  if (!problem.success || code === undefined) {
    const detail = problem.data?.title ?? `HTTP status ${status}`;
    return new DualhomeError('API_ANSWER_INVALID', { detail, facts: { status } });
  }
  const { detail, facts, errors } = problem.data;
  return new DualhomeError(code, { detail, facts: errors ? { ...facts, errors } : facts });
}

function codeOf(type: string): ErrorCode | undefined {
  const code = type.startsWith(typePrefix) ? type.slice(typePrefix.length) : '';
  return Object.hasOwn(errorRegistry, code) ? (code as ErrorCode) : undefined;
}
