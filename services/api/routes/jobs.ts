import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import {
  jobListQuerySchema,
  jobListSchema,
  jobPreviewSchema,
  jobProgressSchema,
  jobRequestSchema,
  jobSchema,
} from '../../protocol/rest/jobs.ts';
import type { Job, JobRequest } from '../../protocol/rest/jobs.ts';
import { logNamed } from '../../log/definition.ts';
import { allow } from '../access.ts';
import type { ApiContext } from '../context.ts';
import { insertJob, listJobs, readJob, requestCancel, requeue } from '../store/jobs.ts';
import type { JobRow } from '../store/jobs.ts';

const jobParams = z.object({ id: z.uuid() });

/** Jobs: written here, worked off by the synchronizer. */
export function jobRoutes(context: ApiContext): void {
  const { server, shared, synchronizer } = context;
  const { app } = server;

  app.post(
    '/v1/jobs',
    {
      onRequest: allow(context, 'operator'),
      schema: {
        summary: 'Starts a job; to give up a copy (accept) takes an admin',
        body: jobRequestSchema,
        response: { 201: jobSchema },
      },
    },
    async (request, reply) => {
      const job = request.body;
      check(context, job);
      if (job.kind === 'accept') await allow(context, 'admin')(request);
      const id = randomUUID();
      await insertJob(shared, id, job, server.principalOf(request).name);
      reply.code(201).header('location', `/v1/jobs/${id}`);
      return shownById(context, id);
    },
  );

  app.post(
    '/v1/jobs/preview',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'What a transfer would do: direction, rows, bytes, expected time',
        body: jobRequestSchema,
        response: { 200: jobPreviewSchema },
      },
    },
    ({ body }) => {
      check(context, body);
      return synchronizer.preview(body);
    },
  );

  app.get(
    '/v1/jobs',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Jobs, newest first',
        querystring: jobListQuerySchema,
        response: { 200: jobListSchema },
      },
    },
    async ({ query: { state, limit } }) => ({ jobs: (await listJobs(shared, state, limit)).map(shown) }),
  );

  app.get(
    '/v1/jobs/:id',
    {
      onRequest: allow(context, 'viewer'),
      schema: { summary: 'One job', params: jobParams, response: { 200: jobSchema } },
    },
    ({ params }) => shownById(context, params.id),
  );

  app.post(
    '/v1/jobs/:id/cancel',
    {
      onRequest: allow(context, 'operator'),
      schema: {
        summary: 'Asks for the end of a job; one that has ended stays as it is',
        params: jobParams,
        response: { 200: jobSchema },
      },
    },
    async ({ params: { id } }) => {
      await requestCancel(shared, id);
      return shownById(context, id);
    },
  );

  app.post(
    '/v1/jobs/:id/retry',
    {
      onRequest: allow(context, 'operator'),
      schema: {
        summary: 'Runs a job that has ended once more',
        params: jobParams,
        response: { 200: jobSchema },
      },
    },
    async ({ params: { id } }) => {
      const requeued = await requeue(shared, id);
      const job = await shownById(context, id);
      if (!requeued) throw new DualhomeError('JOB_NOT_RETRIABLE', { facts: { job: id, state: job.state } });
      return job;
    },
  );
}

function check({ config }: ApiContext, { peer, log, scope }: JobRequest): void {
  if (!config.peers.includes(peer)) {
    throw new DualhomeError('JOB_PEER_UNKNOWN', { detail: peer, facts: { peer, peers: config.peers } });
  }
  const { kinds } = logNamed(log);
  for (const name of scope.kinds ?? []) {
    if (!kinds.some((kind) => kind.name === name))
      throw new DualhomeError('CONFIG_KIND_UNKNOWN', { detail: name, facts: { kind: name, log } });
  }
}

async function shownById({ shared }: ApiContext, id: string): Promise<Job> {
  const job = await readJob(shared, id);
  if (!job) throw new DualhomeError('JOB_NOT_FOUND', { detail: id, facts: { job: id } });
  return shown(job);
}

function shown({ kind, peer, log, scope, reason, ...row }: JobRow): Job {
  return {
    id: row.id,
    kind,
    peer,
    log,
    scope,
    reason,
    state: row.state,
    phase: row.phase,
    progress: jobProgressSchema.parse(row.progress),
    attempts: row.attempts,
    cancelRequested: row.cancel_requested,
    requestedBy: row.requested_by,
    result: row.result,
    error: jobSchema.shape.error.parse(row.error),
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    nextAttemptAt: row.next_attempt_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}
