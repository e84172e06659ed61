import { randomUUID } from 'node:crypto';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { Actor } from '../protocol/event.ts';
import type { Position } from '../protocol/position.ts';
import { openPipeline } from '../platform/postgres/pipeline.ts';
import type { PipelineSession } from '../platform/postgres/pipeline.ts';
import type { Queryable } from '../platform/postgres/statement.ts';
import { commitRun } from './commit-run.ts';
import type { LogDefinition } from './definition.ts';
import { incarnationBegunEvent } from './events.ts';
import { chainRun } from './event.ts';
import type { LogEnd } from './group-writer.ts';
import { readHead } from './head.ts';
import { judgeLog } from './judge-log.ts';
import { recordedOrigin, recordOriginStatement, serverOrigin } from './origin.ts';
import { hashAt } from './read.ts';
import { readWitness } from './witness.ts';

export type HomeLogOptions = {
  readonly definition: LogDefinition;
  readonly url: string;
  /** Schema of the log, where it is not the default one. */
  readonly schema?: string | undefined;
  readonly applicationName: string;
  readonly site: string;
  readonly witnessFile: string;
};

/** Who begins an incarnation, and why. */
export type Cause = { readonly actor: Actor; readonly reason: string };

const firstStart = ({ applicationName }: HomeLogOptions): Cause => ({
  actor: { name: applicationName, role: 'program' },
  reason: 'first start',
});

/**
 * Where a log of this site ends, once it is certain that it may be written on. Begins its first
 * incarnation when it is new.
 *
 * @throws LOG_RESTORED when it is older than it was, or not where it was written
 */
export async function openHomeLog(options: HomeLogOptions): Promise<LogEnd> {
  await using session = await openPipeline(options);
  const head = await readHead(session);
  const witness = await readWitness(options.witnessFile);
  const server = await serverOrigin(session);
  const verdict = judgeLog({
    head,
    server,
    recorded: await recordedOrigin(session),
    witness,
    hashAtWitness: witness && (await hashAt(session, witness.seq)),
  });
  if (verdict === 'new') return await begin(session, options, null, firstStart(options));
  if (verdict === 'continued') return { head, lastTimeMs: await lastTimeMs(session, head.seq) };
  throw new DualhomeError('LOG_RESTORED', {
    detail: verdict.restored,
    facts: { seq: head.seq, incarnation: head.incarnation, witnessSeq: witness?.seq, server },
  });
}

/** Begins a new incarnation that goes on from where the log now ends, whatever it was before. */
export async function beginIncarnation(options: HomeLogOptions, cause: Cause): Promise<LogEnd> {
  await using session = await openPipeline(options);
  const head = await readHead(session);
  return await begin(session, options, head.seq === 0 ? null : head, cause);
}

async function begin(
  session: PipelineSession,
  { definition, site }: HomeLogOptions,
  parent: Position | null,
  cause: Cause,
): Promise<LogEnd> {
  const from = await readHead(session);
  const seq = from.seq + 1;
  const timeMs = Math.max(Date.now(), await lastTimeMs(session, from.seq));
  const incarnation = randomUUID();
  const event = incarnationBegunEvent(parent, { site, incarnation, seq, timeMs, ...cause });
  const run = chainRun(from, [event], incarnation);
  const { changes } = definition.fold([event], seq);
  await commitRun(session, run, changes, { also: [recordOriginStatement(await serverOrigin(session))] });
  return { head: run.to, lastTimeMs: timeMs };
}

async function lastTimeMs(queryable: Queryable, seq: number): Promise<number> {
  const { rows } = await queryable.query<{ time: Date }>('select time from log where seq = $1', [seq]);
  return rows[0]?.time.getTime() ?? 0;
}
