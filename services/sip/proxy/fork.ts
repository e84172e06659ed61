import { bestResponse } from './best-response.ts';
import type { BranchResult } from './best-response.ts';
import type { Branch, Fork, ForkInput, ForkOutput } from './fork-state.ts';

/** Timer C (RFC 3261 section 16.6 step 11): must be longer than three minutes. */
export const timerCMs = 185_000;

/** How long a cancelled branch may take to answer: 64 * T1 (section 9.1). */
export const cancelWaitMs = 32_000;

export type ForkStep<T, R> = {
  readonly fork: Fork<T, R>;
  readonly outputs: readonly ForkOutput<T, R>[];
};

/** A step being worked out: a copy that may be written to. */
type Draft<T, R> = {
  -readonly [K in keyof Fork<T, R>]: Fork<T, R>[K];
} & { branches: DraftBranch<T, R>[]; outputs: ForkOutput<T, R>[] };

type DraftBranch<T, R> = { -readonly [K in keyof Branch<T, R>]: Branch<T, R>[K] };

/** Begins with the first group of targets. */
export function startFork<T, R>(groups: readonly (readonly T[])[], isInvite: boolean): ForkStep<T, R> {
  const draft: Draft<T, R> = {
    isInvite,
    waiting: groups,
    branches: [],
    isCancelled: false,
    isAnswered: false,
    outputs: [],
  };
  progress(draft);
  return finish(draft);
}

/** What an input does to a fork; the fork given stays as it is. */
export function stepFork<T, R>(fork: Fork<T, R>, input: ForkInput<T, R>): ForkStep<T, R> {
  const draft: Draft<T, R> = {
    ...fork,
    branches: fork.branches.map((branch) => ({ ...branch })),
    outputs: [],
  };
  if (input.kind === 'cancel') cancelAll(draft);
  else if (input.kind === 'add') add(draft, input.target);
  else {
    const branch = draft.branches[input.branch];
    if (branch) stepBranch(draft, branch, input);
  }
  progress(draft);
  return finish(draft);
}

/** Whether nothing more can come but retransmitted 2xx responses: the context can be forgotten. */
export function isForkOver<T, R>(fork: Fork<T, R>): boolean {
  return fork.isAnswered && fork.branches.every(({ state }) => state === 'ended');
}

function stepBranch<T, R>(
  draft: Draft<T, R>,
  branch: DraftBranch<T, R>,
  input: Exclude<ForkInput<T, R>, { kind: 'cancel' | 'add' }>,
): void {
  switch (input.kind) {
    case 'response':
      return receive(draft, branch, input.status, input.response);
    case 'timeout':
      return end(draft, branch, noAnswer(draft));
    case 'transport-error':
      return end(draft, branch, { status: 503 });
    case 'timer':
      return timeUp(draft, branch);
    case 'abandon':
      return giveUp(draft, branch);
  }
}

function receive<T, R>(draft: Draft<T, R>, branch: DraftBranch<T, R>, status: number, response: R): void {
  if (status < 200) receiveProvisional(draft, branch, status, response);
  else if (status < 300) receiveSuccess(draft, branch, { status, response });
  else {
    end(draft, branch, { status, response });
    if (status >= 600) stopOthers(draft, branch);
  }
}

/** Section 16.7 steps 2 and 5: 101-199 restart Timer C and go upstream; a CANCEL that waited goes out. */
function receiveProvisional<T, R>(
  draft: Draft<T, R>,
  branch: DraftBranch<T, R>,
  status: number,
  response: R,
): void {
  if (branch.state === 'ended') return;
  branch.state = 'proceeding';
  if (branch.cancel === 'wanted') sendCancel(draft, branch);
  if (status === 100) return;
  if (branch.cancel === 'no') setTimerC(draft, branch);
  if (!draft.isAnswered && !branch.result) draft.outputs.push({ kind: 'relay', branch: branch.id, response });
}

/** Section 16.7 steps 5 and 10: every 2xx to INVITE goes upstream at once, and the other branches are cancelled. */
function receiveSuccess<T, R>(
  draft: Draft<T, R>,
  branch: DraftBranch<T, R>,
  result: BranchResult<R> & { response: R },
): void {
  end(draft, branch, result);
  if (draft.isAnswered && !draft.isInvite) return;
  draft.outputs.push({ kind: 'relay', branch: branch.id, response: result.response });
  draft.isAnswered = true;
  stopOthers(draft, branch);
}

/** Section 16.8: Timer C cancels a branch that rings and ends one that is silent; nothing answers a CANCEL for ever. */
function timeUp<T, R>(draft: Draft<T, R>, branch: DraftBranch<T, R>): void {
  if (branch.state === 'proceeding' && branch.cancel !== 'sent') sendCancel(draft, branch);
  else end(draft, branch, noAnswer(draft));
}

function giveUp<T, R>(draft: Draft<T, R>, branch: DraftBranch<T, R>): void {
  if (branch.state === 'ended') return;
  branch.result ??= noAnswer(draft);
  leave(draft, branch);
}

function cancelAll<T, R>(draft: Draft<T, R>): void {
  if (draft.isAnswered) return;
  draft.isCancelled = true;
  draft.waiting = [];
  for (const branch of draft.branches) cancel(draft, branch);
}

function add<T, R>(draft: Draft<T, R>, target: T): void {
  const isDecided =
    draft.isAnswered ||
    draft.isCancelled ||
    draft.branches.some(({ result }) => (result?.status ?? 0) >= 600);
  if (!isDecided) launch(draft, target);
}

/** Ends the branch; the first result it came to counts. */
function end<T, R>(draft: Draft<T, R>, branch: DraftBranch<T, R>, result: BranchResult<R>): void {
  if (branch.state !== 'ended' && draft.isInvite) {
    draft.outputs.push({ kind: 'clear-timer', branch: branch.id });
  }
  branch.state = 'ended';
  branch.result ??= result;
}

function stopOthers<T, R>(draft: Draft<T, R>, but: DraftBranch<T, R>): void {
  draft.waiting = [];
  for (const branch of draft.branches) if (branch !== but) leave(draft, branch);
}

/** Another branch is taken instead: one that rings is cancelled, one that is silent is not asked again. */
function leave<T, R>(draft: Draft<T, R>, branch: DraftBranch<T, R>): void {
  if (draft.isInvite && branch.state === 'calling')
    draft.outputs.push({ kind: 'quieten', branch: branch.id });
  cancel(draft, branch);
}

/** Only INVITE is cancelled, and only once something came back (section 9.1). */
function cancel<T, R>(draft: Draft<T, R>, branch: DraftBranch<T, R>): void {
  if (!draft.isInvite || branch.state === 'ended' || branch.cancel !== 'no') return;
  if (branch.state === 'proceeding') sendCancel(draft, branch);
  else branch.cancel = 'wanted';
}

function sendCancel<T, R>(draft: Draft<T, R>, branch: DraftBranch<T, R>): void {
  branch.cancel = 'sent';
  draft.outputs.push({ kind: 'cancel', branch: branch.id });
  draft.outputs.push({ kind: 'set-timer', branch: branch.id, ms: cancelWaitMs });
}

function launch<T, R>(draft: Draft<T, R>, target: T): void {
  const branch: DraftBranch<T, R> = { id: draft.branches.length, target, state: 'calling', cancel: 'no' };
  draft.branches.push(branch);
  draft.outputs.push({ kind: 'forward', branch: branch.id, target });
  if (draft.isInvite) setTimerC(draft, branch);
}

function setTimerC<T, R>(draft: Draft<T, R>, branch: DraftBranch<T, R>): void {
  draft.outputs.push({ kind: 'set-timer', branch: branch.id, ms: timerCMs });
}

/** When no branch holds the fork up: the next group, or the best response. */
function progress<T, R>(draft: Draft<T, R>): void {
  while (!draft.isAnswered && draft.branches.every(({ result }) => result)) {
    const [group, ...later] = draft.waiting;
    if (!group) return answer(draft);
    draft.waiting = later;
    for (const target of group) launch(draft, target);
  }
}

function answer<T, R>(draft: Draft<T, R>): void {
  const results = draft.branches.flatMap(({ result }) => (result ? [result] : []));
  draft.isAnswered = true;
  draft.outputs.push({ kind: 'answer', ...bestResponse(results, draft.isCancelled) });
}

/** What a branch without an answer counts as. */
function noAnswer<T, R>(draft: Draft<T, R>): BranchResult<R> {
  return { status: draft.isCancelled ? 487 : 408 };
}

function finish<T, R>({ outputs, ...fork }: Draft<T, R>): ForkStep<T, R> {
  return { fork, outputs };
}
