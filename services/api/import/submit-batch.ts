import { setTimeout as sleep } from 'node:timers/promises';
import { failpoint } from '../../platform/lifecycle/failpoint.ts';
import { isDualhomeError } from '../../protocol/errors/index.ts';
import type { ChangeAnswer, ChangeRequest } from '../change/intent.ts';

/** How long an import waits when too many changes wait to be written. */
const BUSY_MS = 50;

export type Submit = (request: ChangeRequest, bytes: number) => Promise<ChangeAnswer>;

/** Makes a batch one event; several, where one would be too large, and later, where the log is busy. @throws CONFIG_*, LOG_* */
export async function submitBatch(
  submit: Submit,
  request: ChangeRequest,
  bytes: number,
): Promise<ChangeAnswer> {
  failpoint('import.batch');
  for (;;) {
    try {
      return await submit(request, bytes);
    } catch (error) {
      if (isDualhomeError(error, 'LOG_BUSY')) await sleep(BUSY_MS);
      else if (isDualhomeError(error, 'CONFIG_EVENT_TOO_LARGE') && request.intents.length > 1) break;
      else throw error;
    }
  }
  const middle = Math.ceil(request.intents.length / 2);
  const parts = [request.intents.slice(0, middle), request.intents.slice(middle)];
  let rowsChanged = 0;
  let seq = 0;
  for (const intents of parts) {
    const answer = await submitBatch(submit, { ...request, intents }, Math.ceil(bytes / 2));
    rowsChanged += answer.rowsChanged;
    seq = Math.max(seq, answer.seq);
  }
  return { seq, rowsChanged };
}
