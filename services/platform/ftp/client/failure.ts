import { FTPError } from 'basic-ftp';
import { DualhomeError, isDualhomeError, messageOf } from '../../../protocol/errors/index.ts';
import type { ErrorCode } from '../../../protocol/errors/index.ts';

/** Codes of replies (RFC 959 4.2.2) that mean more than their first digit. */
const replyCodes: Readonly<Record<number, ErrorCode>> = {
  430: 'FTP_LOGIN_REFUSED',
  452: 'FTP_STORAGE_FULL',
  530: 'FTP_LOGIN_REFUSED',
  552: 'FTP_STORAGE_FULL',
};

const localCodes = new Set([
  'ENOENT',
  'EACCES',
  'EPERM',
  'EISDIR',
  'ENOTDIR',
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
]);

const tlsCode = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|ERR_SSL_|EPROTO|INVALID_CA|HOSTNAME)/;

/** While opening, a session has not yet shown that the two ends accept each other's TLS. */
export type SessionPhase = 'opening' | 'open';

/**
 * The registered error for anything that went wrong while talking to a server. What is neither the server's answer
 * nor a local file nor, while opening, TLS, is the connection's fault and worth another try.
 */
export function failureOf(
  error: unknown,
  phase: SessionPhase,
  facts: Readonly<Record<string, unknown>>,
): DualhomeError {
  if (isDualhomeError(error)) return error;
  return new DualhomeError(codeOf(error, phase), { detail: messageOf(error).trim(), facts, cause: error });
}

function codeOf(error: unknown, phase: SessionPhase): ErrorCode {
  if (error instanceof FTPError) {
    return replyCodes[error.code] ?? (error.code < 500 ? 'FTP_BUSY' : 'FTP_COMMAND_REFUSED');
  }
  if (isOfLocalFile(error)) return 'FTP_LOCAL_FILE';
  return phase === 'opening' && tlsCode.test(codeText(error)) ? 'FTP_TLS_REFUSED' : 'FTP_UNREACHABLE';
}

/** Whether it comes from a file of this machine. */
export function isOfLocalFile(error: unknown): boolean {
  return localCodes.has(codeText(error));
}

function codeText(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the server answered that there is no such file; servers use 550 for it, and for other refusals too. */
export function isNoSuchFile(error: unknown): boolean {
  return error instanceof FTPError && error.code === 550;
}
