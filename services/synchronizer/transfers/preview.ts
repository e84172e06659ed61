import { z } from 'zod';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import { logNamed } from '../../log/definition.ts';
import { LogName } from '../../protocol/names.ts';
import type { JobPreview, JobRequest } from '../../protocol/rest/jobs.ts';
import { isWhole, scopeSchema } from '../../protocol/scope.ts';
import type { Scope } from '../../protocol/scope.ts';
import { copyingOf, peerNamed, sendingOf } from '../peer-logs.ts';
import type { Peer, SynchronizerContext } from '../ports.ts';
import { countScope } from '../store/scope-size.ts';
import type { ScopeSize } from '../store/scope-size.ts';
import type { JobStore } from '../store/job-store.ts';

/** Used until a transfer has been measured here. */
const rowsPerSecondDefault = 100_000;

const sizeSchema = z.object({ rows: z.int().nonnegative(), bytes: z.int().nonnegative() });
const askSchema = z.strictObject({
  of: z.enum(['home', 'standby']),
  log: z.enum(LogName),
  scope: scopeSchema,
});

/** Lets peers count what they would receive, and what it would replace. */
export function servePreviews(context: SynchronizerContext): Disposable {
  return context.handlers.register('transfer.size', askSchema, async ({ of, log, scope }, { peer }) => {
    const { database } =
      of === 'home' ? sendingOf(context, peer, log).own : copyingOf(context.peers, peer, log).copy;
    return await countScope(database, logNamed(log), scope);
  });
}

/** What a transfer would do: counted at both sides where the link is up. A bootstrap of everything is of both logs. */
export async function previewOf(
  context: SynchronizerContext,
  store: JobStore,
  request: JobRequest,
): Promise<JobPreview> {
  const { kind, log, scope } = request;
  const rate = (await store.measuredRate()) ?? rowsPerSecondDefault;
  const logs = kind === 'bootstrap' && isWhole(scope) ? Object.values(LogName) : [log];
  const sizes: Moved[] = [];
  for (const each of logs) sizes.push(...(await movedBy(context, { ...request, log: each })));
  return {
    directions: sizes.map((moved) => ({
      ...moved,
      expectedSeconds: Number((moved.rows / rate).toFixed(1)),
    })),
  };
}

type Moved = Omit<JobPreview['directions'][number], 'expectedSeconds'>;

async function movedBy(
  { config, logs, peers }: SynchronizerContext,
  { kind, peer: name, log, scope }: JobRequest,
): Promise<readonly Moved[]> {
  const peer = peerNamed(peers, name);
  const { send, copy } = peer.logs.get(log) ?? {};
  const own = logs.get(log);
  const moved: Moved[] = [];
  if ((kind === 'resync' || kind === 'bootstrap') && send && own) {
    const size = await countScope(own.database, own.definition, scope);
    const replaced = await sizeAt(peer, 'standby', log, scope);
    moved.push({ log, from: config.site, to: name, ...size, replacesRows: replaced?.rows ?? null });
  }
  if ((kind === 'pull' || kind === 'bootstrap') && copy) {
    const size = await sizeAt(peer, 'home', log, scope);
    if (!size) throw new DualhomeError('LINK_DOWN', { detail: `${name} cannot be asked` });
    const { rows: replacesRows } = await countScope(copy.database, logNamed(log), scope);
    moved.push({ log, from: name, to: config.site, ...size, replacesRows });
  }
  return moved;
}

async function sizeAt(
  { link }: Peer,
  of: 'home' | 'standby',
  log: LogName,
  scope: Scope,
): Promise<ScopeSize | undefined> {
  try {
    return await link.request('transfer.size', { of, log, scope }, sizeSchema);
  } catch (error) {
    if (isDualhomeError(error, 'LINK_DOWN') || isDualhomeError(error, 'LINK_REQUEST_TIMEOUT'))
      return undefined;
    throw error;
  }
}
