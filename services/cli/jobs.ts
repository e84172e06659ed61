import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { HttpClient } from '../platform/http/client.ts';
import { DualhomeError, errorRegistry } from '../protocol/errors/index.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';
import { hasEnded, jobSchema } from '../protocol/rest/jobs.ts';
import type { Job, jobRequestSchema } from '../protocol/rest/jobs.ts';
import type { OnProgress } from './output/progress.ts';

const pollMs = 250;

export type JobWish = z.input<typeof jobRequestSchema>;

export async function requestJob(api: HttpClient, wish: JobWish): Promise<Job> {
  return api.request('POST', '/v1/jobs', { body: wish, answer: jobSchema });
}

export async function readJob(api: HttpClient, id: string): Promise<Job> {
  return api.request('GET', `/v1/jobs/${encodeURIComponent(id)}`, { answer: jobSchema });
}

/** Waits until a job has ended, telling how far it is. Interrupting it leaves the job alone. */
export async function followJob(
  api: HttpClient,
  id: string,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Job> {
  for (;;) {
    const job = await readJob(api, id);
    const { rowsDone, rowsTotal, bytesDone } = job.progress;
    onProgress({
      done: rowsDone,
      total: rowsTotal ?? undefined,
      bytes: bytesDone,
      phase: job.phase ?? job.state,
    });
    if (hasEnded(job.state)) return job;
    await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** @throws the job's own error, or JOB_… where it was cancelled */
export function requireDone(job: Job): Job {
  if (job.state === 'done') return job;
  const { code = '', message = `the job was ${job.state}` } = job.error ?? {};
  if (Object.hasOwn(errorRegistry, code)) throw new DualhomeError(code as ErrorCode, { detail: message });
  throw new Error(`job ${job.id}: ${message}`);
}
