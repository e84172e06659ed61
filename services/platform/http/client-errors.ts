import { DualhomeError } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';

/** Codes of Node, OpenSSL and the HTTP parser; the first match counts, and every other code is a connection's. */
const codesByPattern: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'TLS_CERTIFICATE_EXPIRED'],
  [/^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/, 'TLS_CERTIFICATE_UNTRUSTED'],
  [/^(HPE_|ERR_SSL_|EPROTO$)/, 'API_ANSWER_INVALID'],
  [/./, 'API_UNREACHABLE'],
];

/** What the network threw, as a registered error; whatever carries no code is a defect and stays as it is. */
export function networkErrorOf(error: unknown, baseUrl: string): unknown {
  if (error instanceof DualhomeError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const registered = codesByPattern.find(([pattern]) => pattern.test(code))?.[1];
  if (!registered) return error;
  return new DualhomeError(registered, {
    detail: `${baseUrl}: ${error.message}`,
    facts: { code },
    cause: error,
  });
}
