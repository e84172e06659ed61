import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import { LogName } from '../../protocol/names.ts';
import { isWhole } from '../../protocol/scope.ts';
import { hasEnded, jobProgressSchema, jobRequestSchema, jobStateSchema } from '../../protocol/rest/jobs.ts';
import { delay } from '../../platform/lifecycle/abort.ts';
import type { PeerLink, RequestHandlers } from '../ports.ts';
import type { JobAttempt, JobStore } from '../store/job-store.ts';
import type { JobContext, JobWork } from './runner.ts';

const lookMs = 250;
/** For the end of a part that was cancelled. */
const cancelledMaxMs = 5_000;

/** What one job tells of another that is part of it. */
const partSchema = z.object({
  state: jobStateSchema,
  phase: z.string().nullable(),
  progress: jobProgressSchema.nullable(),
  result: z.record(z.string(), z.unknown()).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
type Part = z.infer<typeof partSchema>;

const askedSchema = z.strictObject({ id: z.uuid(), request: jobRequestSchema });
const idSchema = z.strictObject({ id: z.uuid() });

/** Id of a job's part: the same at every attempt, so that a part is never started twice. */
export function partId(id: string, part: string): string {
  const hex = createHash('sha256').update(`${id}/${part}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Lets peers have this site push to them: they ask, look and cancel by the id they chose. */
export function servePeerJobs(handlers: RequestHandlers, store: JobStore, wake: () => void): Disposable {
  const stack = new DisposableStack();
  stack.use(
    handlers.register('job.ask', askedSchema, async ({ id, request }, { peer }) => {
      await store.insert(id, { ...request, kind: 'resync', peer }, peer);
      wake();
      return {};
    }),
  );
  stack.use(handlers.register('job.look', idSchema, async ({ id }) => (await store.read(id)) ?? null));
  stack.use(
    handlers.register('job.cancel', idSchema, async ({ id }) => {
      await store.requestCancel(id);
      wake();
      return {};
    }),
  );
  return stack;
}

/** A pull: the peer's push to this site, asked for by this site (M5). */
export function pullWork(linkTo: (peer: string) => PeerLink): JobWork {
  return async (job, context) => {
    const link = linkTo(job.peer);
    const id = partId(job.id, `push/${job.attempts}`);
    const { log, scope } = job;
    const request = { kind: 'resync', peer: job.peer, log, scope, reason: 'asked for by the peer' } as const;
    context.phase('asking the peer');
    await link.request('job.ask', { id, request }, z.object({}), { signal: context.signal });
    const look = async (signal: AbortSignal) => {
      await link.whenUp(signal);
      return link.request('job.look', { id }, partSchema.nullable(), { signal });
    };
    return await follow(look, context, () => link.request('job.cancel', { id }, z.object({})));
  };
}

/** Whether a log goes to a peer, and whether it comes from there. */
export type Ends = {
  sends(peer: string, log: LogName): boolean;
  receives(peer: string, log: LogName): boolean;
};

/** A bootstrap: push and pull of both logs as jobs of their own, all to their ends; of a part, of its log only. */
export function bootstrapWork(store: JobStore, wake: () => void, ends: Ends): JobWork {
  return async (job, context) => {
    const logs = isWhole(job.scope) ? Object.values(LogName) : [job.log];
    const parts = logs.flatMap((log) => [
      ...(ends.sends(job.peer, log) ? [partOf(job, log, 'resync')] : []),
      ...(ends.receives(job.peer, log) ? [partOf(job, log, 'pull')] : []),
    ]);
    for (const { id, kind, log } of parts) {
      const request = { kind, peer: job.peer, log, scope: job.scope, reason: `part of ${job.id}` };
      await store.insert(id, request, `job ${job.id}`);
    }
    wake();
    context.phase('copying both ways');
    const counts = new Map<string, Part['progress']>();
    const results = await Promise.all(
      parts.map(async ({ name, id }) => {
        const look = async () => partSchema.nullable().parse((await store.read(id)) ?? null);
        const counting = { ...context, phase: () => undefined, count: () => undefined };
        const result = await follow(
          look,
          counting,
          () => store.requestCancel(id).then(wake),
          (part) => {
            counts.set(name, part.progress);
            context.count(sum([...counts.values()]));
          },
        );
        return [name, result] as const;
      }),
    );
    return Object.fromEntries(results);
  };
}

/** Named after what it does: `resync`, `registration resync`. */
function partOf({ id, attempts }: JobAttempt, log: LogName, kind: 'resync' | 'pull') {
  const name = log === LogName.configuration ? kind : `${log} ${kind}`;
  return { name, kind, log, id: partId(id, `${name}/${attempts}`) };
}

type Look = (signal: AbortSignal) => Promise<Part | null>;

/**
 * Looks at a part until it has ended. When the whole is cancelled it cancels the part and believes only how that ends:
 * what was done in the meantime is done.
 */
async function follow(
  look: Look,
  context: JobContext,
  cancel: () => Promise<unknown>,
  seen: (part: Part) => void = (part) => {
    if (part.phase) context.phase(part.phase);
    if (part.progress) context.count(part.progress);
  },
): Promise<object> {
  try {
    return resultOf(await endOf(look, context.signal, seen));
  } catch (error) {
    if (!context.signal.aborted) throw error;
    await cancel().catch(() => undefined);
    if (!isDualhomeError(context.signal.reason, 'JOB_CANCELLED')) throw error;
    const part = await endOf(look, AbortSignal.timeout(cancelledMaxMs)).catch(() => undefined);
    if (part?.state !== 'done') throw error;
    return resultOf(part);
  }
}

async function endOf(
  look: Look,
  signal: AbortSignal,
  seen: (part: Part) => void = () => undefined,
): Promise<Part> {
  for (;;) {
    const part = await look(signal);
    if (part) seen(part);
    if (part && hasEnded(part.state)) return part;
    await delay(lookMs, signal);
  }
}

function resultOf({ state, result, error }: Part): object {
  if (state === 'done') return result ?? {};
  const detail = error ? `${error.code}: ${error.message}` : `it was ${state}`;
  throw new DualhomeError('JOB_PEER_FAILED', { detail });
}

function sum(parts: readonly Part['progress'][]): Parameters<JobContext['count']>[0] {
  const known = parts.filter((part) => part !== null);
  const total = (pick: (part: (typeof known)[number]) => number | null) =>
    known.every((part) => pick(part) !== null)
      ? known.reduce((all, part) => all + (pick(part) ?? 0), 0)
      : null;
  return {
    rowsDone: total((part) => part.rowsDone) ?? 0,
    bytesDone: total((part) => part.bytesDone) ?? 0,
    rowsTotal: total((part) => part.rowsTotal),
    bytesTotal: total((part) => part.bytesTotal),
  };
}
