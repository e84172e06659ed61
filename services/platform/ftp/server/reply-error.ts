/** A command that is answered with a code of 400 or above (RFC 959 4.2); its message goes to the client. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
  readonly code: number;

  constructor(code: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const replies: Readonly<Record<string, readonly [code: number, message: string]>> = {
  ENOENT: [550, 'No such file'],
  ELOOP: [550, 'Not a regular file'],
  EISDIR: [550, 'Not a regular file'],
  ENXIO: [550, 'Not a regular file'],
  EACCES: [550, 'Permission denied'],
  EPERM: [550, 'Permission denied'],
  ENOSPC: [452, 'No space left'],
  EDQUOT: [452, 'No space left'],
  EFBIG: [552, 'File too large'],
};

/** What the client is told about `error`: the kind of a file system's error, never a path. */
export function replyErrorOf(error: unknown): ReplyError {
  if (error instanceof ReplyError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [number, message] = replies[code] ?? [451, 'Local error'];
  return new ReplyError(number, message, error);
}
