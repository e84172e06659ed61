import { describe, expect, it } from 'vitest';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import type { ErrorCode } from '../../../services/protocol/errors/index.ts';
import { wholeScope } from '../../../services/protocol/scope.ts';
import type { JobState } from '../../../services/protocol/rest/jobs.ts';
import { pullWork } from '../../../services/synchronizer/jobs/remote.ts';
import type { PeerLink } from '../../../services/synchronizer/ports.ts';

const job = {
  id: '0b3c1c52-6d4f-4c9b-9d3c-0d6a2f6f5a11',
  kind: 'pull',
  peer: 'c2',
  log: 'configuration',
  scope: wholeScope,
  attempts: 1,
  fence: 1,
} as const;

/** A pull whose push at the peer is in these states, one look after the other; the last one stays. */
function pull(
  states: readonly JobState[],
  { abortedBy, attempts = 1 }: { abortedBy?: ErrorCode; attempts?: number } = {},
) {
  const stop = new AbortController();
  const asked: string[] = [];
  const pushes = new Set<string>();
  const left = [...states];
  const link = {
    whenUp: async (signal: AbortSignal) => signal.throwIfAborted(),
    request: async (
      method: string,
      params: { id: string },
      _result: unknown,
      options?: { signal?: AbortSignal },
    ) => {
      options?.signal?.throwIfAborted();
      asked.push(method);
      pushes.add(params.id);
      if (method !== 'job.look') return {};
      if (abortedBy && !stop.signal.aborted) stop.abort(new DualhomeError(abortedBy));
      const state = left.length > 1 ? left.shift() : left[0];
      const error = state === 'failed' ? { code: 'TRANSFER_HOME_EMPTY', message: 'nothing there' } : null;
      return { state, phase: null, progress: null, result: { rows: 5 }, error };
    },
  } as unknown as PeerLink;
  const work = pullWork(() => link);
  const ended = work(
    { ...job, attempts },
    { signal: stop.signal, phase: () => undefined, count: () => undefined },
  );
  return { ended, asked, pushes };
}

describe('a pull', () => {
  it('is done when the push at the peer is, with its result', async () => {
    const { ended, asked } = pull(['running', 'done']);
    await expect(ended).resolves.toEqual({ rows: 5 });
    expect(asked).toEqual(['job.ask', 'job.look', 'job.look']);
  });

  it.each(['failed', 'cancelled'] as const)('fails when the push at the peer was %s', async (state) => {
    await expect(pull([state]).ended).rejects.toMatchObject({
      code: 'JOB_PEER_FAILED',
      detail: state === 'failed' ? 'TRANSFER_HOME_EMPTY: nothing there' : 'it was cancelled',
    });
  });

  it('asks for one push in each attempt', async () => {
    const [first, second] = [pull(['done']), pull(['done'], { attempts: 2 })];
    await Promise.all([first.ended, second.ended]);
    expect(first.pushes.size).toBe(1);
    expect(second.pushes.size).toBe(1);
    expect(first.pushes).not.toEqual(second.pushes);
  });

  it('that is cancelled cancels the push, and is cancelled when that is', async () => {
    const { ended, asked } = pull(['running', 'running', 'cancelled'], { abortedBy: 'JOB_CANCELLED' });
    await expect(ended).rejects.toThrow('aborted');
    expect(asked).toEqual(['job.ask', 'job.look', 'job.cancel', 'job.look', 'job.look']);
  });

  it('that is cancelled too late is done', async () => {
    const { ended } = pull(['running', 'running', 'done'], { abortedBy: 'JOB_CANCELLED' });
    await expect(ended).resolves.toEqual({ rows: 5 });
  });

  it('that is interrupted cancels the push and does not wait for it', async () => {
    const { ended, asked } = pull(['running', 'done'], { abortedBy: 'JOB_INTERRUPTED' });
    await expect(ended).rejects.toThrow('aborted');
    expect(asked).toEqual(['job.ask', 'job.look', 'job.cancel']);
  });
});
