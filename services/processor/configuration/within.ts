import { DualhomeError } from '../../protocol/errors/index.ts';

/** `promise`, or a rejection when that takes longer; what it does then is lost. @throws POSTGRES_UNREACHABLE */
export async function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const detail = `no answer within ${limitMs} ms`;
  const giveUp = (): void => late.reject(new DualhomeError('POSTGRES_UNREACHABLE', { detail }));
  // After this process itself was held up, an answer that has arrived meanwhile is read first.
  const timer = setTimeout(() => setImmediate(giveUp), limitMs);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
