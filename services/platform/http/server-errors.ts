import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';
import type { FieldError } from '../../protocol/errors/problem.ts';

const codeByStatus = new Map<number, ErrorCode>([
  [404, 'API_NOT_FOUND'],
  [413, 'API_BODY_TOO_LARGE'],
  [415, 'API_MEDIA_TYPE_UNSUPPORTED'],
]);

/** Whatever a handler or fastify threw, as a registered error; a defect becomes API_INTERNAL and shows nothing. */
export function registeredErrorOf(error: unknown): DualhomeError {
  if (isDualhomeError(error)) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = error.validationContext ?? 'body';
    const errors = error.validation.map(({ instancePath, message }): FieldError => ({
      where,
      path: instancePath,
      message: message ?? '',
    }));
    return new DualhomeError('API_REQUEST_INVALID', { detail: `${where} is not valid`, facts: { errors } });
  }
  const { statusCode = 500, message } = error as Partial<FastifyError>;
  if (statusCode >= 400 && statusCode < 500) {
    return new DualhomeError(codeByStatus.get(statusCode) ?? 'API_REQUEST_INVALID', { detail: message });
  }
  return new DualhomeError('API_INTERNAL', { cause: error });
}
