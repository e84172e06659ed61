import { setTimeout as sleep } from 'node:timers/promises';
import { changeLineSchema } from '../../protocol/rest/changes.ts';
import { importLineSchema } from '../../protocol/rest/import.ts';
import type { ImportDone } from '../../protocol/rest/import.ts';
import { statusSchema } from '../../protocol/status.ts';
import type { Direction, Status } from '../../protocol/status.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { errorOfProblem } from '../../protocol/errors/problem.ts';
import type { OnProgress } from '../output/progress.ts';
import type { DemoSite } from './demo-site.ts';

const pollMs = 50;
const waitMs = 60_000;

export async function readStatus({ api }: DemoSite): Promise<Status> {
  return api.request('GET', '/v1/status', { answer: statusSchema });
}

/** The configuration's way from one site to the other, as `at` sees it. */
export function directionIn(status: Status, from: string, to: string): Direction | undefined {
  return status.peers
    .flatMap(({ directions }) => directions)
    .find((direction) => direction.log === 'configuration' && direction.from === from && direction.to === to);
}

/** Waits until the site's status is as wanted; one that cannot be had is not. @throws DEMO_TIMEOUT */
export async function waitForStatus(
  site: DemoSite,
  wanted: (status: Status) => boolean,
  signal: AbortSignal,
): Promise<Status> {
  const deadlineMs = performance.now() + waitMs;
  for (;;) {
    const status = await readStatus(site).catch(() => undefined);
    if (status && wanted(status)) return status;
    if (performance.now() > deadlineMs) {
      throw new DualhomeError('DEMO_TIMEOUT', {
        detail: `${waitMs / 1_000} s`,
        facts: { site: site.name, status },
      });
    }
    await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Waits until `to` has applied the log of `from` up to `seq`. */
export async function waitForApplied(
  from: DemoSite,
  to: DemoSite,
  seq: number,
  signal: AbortSignal,
  onProgress: OnProgress = () => undefined,
): Promise<Direction> {
  const applied = (status: Status): Direction | undefined => directionIn(status, from.name, to.name);
  const status = await waitForStatus(
    to,
    (seen) => {
      const done = applied(seen)?.applied ?? 0;
      onProgress({ done, total: seq, phase: `${from.name} -> ${to.name}` });
      return done >= seq;
    },
    signal,
  );
  const direction = applied(status);
  if (!direction) throw new Error('the direction was there a moment ago');
  return direction;
}

/** A change as the api takes it. */
export type DemoChange = {
  readonly op: 'put' | 'merge';
  readonly kind: string;
  readonly key?: string;
  readonly row: Readonly<Record<string, unknown>>;
};

/** Makes changes, each an event of its own; returns the last event. @throws the first refusal */
export async function makeChanges(
  { api }: DemoSite,
  changes: Iterable<DemoChange>,
  reason: string,
  onAnswer: (answered: number) => void = () => undefined,
): Promise<number> {
  let last = 0;
  const options = { lines: changes, query: { reason }, answer: changeLineSchema };
  for await (const answer of api.stream('POST', '/v1/changes', options)) {
    if ('problem' in answer) throw errorOfProblem(answer.problem, answer.problem.status);
    last = answer.seq;
    onAnswer(answer.line);
  }
  return last;
}

/** Imports rows as one would from a file, in batches; returns the last event. @throws the first refusal */
export async function importRows(
  { api }: DemoSite,
  kind: string,
  rows: Iterable<unknown>,
  onImported: (rows: number) => void,
): Promise<number> {
  const options = { lines: rows, query: { reason: 'sample configuration' }, answer: importLineSchema };
  let done: ImportDone | undefined;
  for await (const line of api.stream('POST', `/v1/import/${kind}`, options)) {
    if (line.type === 'progress') onImported(line.rows);
    if (line.type === 'done') done = line;
  }
  if (done?.problem) throw errorOfProblem(done.problem, done.problem.status);
  if (!done?.ok)
    throw new DualhomeError('API_ANSWER_INVALID', { detail: 'the sample was refused', facts: { done } });
  return done.seq;
}
