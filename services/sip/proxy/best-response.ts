/** How a branch ended: with a response, or without (a timeout or a transport error, section 16.7 and 16.9). */
export type BranchResult<R> = { readonly status: number; readonly response?: R | undefined };

/** The final response to send upstream, and the challenges of other branches to add to it. */
export type BestResponse<R> = BranchResult<R> & { readonly challenges: readonly R[] };

/** Responses that tell the sender how to try again (section 16.7 step 6). */
const resubmittable = new Set([401, 407, 415, 420, 484]);

/**
 * Chooses the best final response (RFC 3261 section 16.7 step 6): a 6xx if there is one, else the lowest class;
 * within 4xx one that affects resubmission; last of its class what only says that a branch was given up. A 503 is
 * not passed on, for it would speak of this element, but becomes a 500. To a 401 or 407 belong all challenges
 * (step 7).
 */
export function bestResponse<R>(results: readonly BranchResult<R>[], isCancelled: boolean): BestResponse<R> {
  const [best = { status: 480 }] = results.toSorted((a, b) => rank(a, isCancelled) - rank(b, isCancelled));
  if (best.status === 503) return { status: 500, challenges: [] };
  const isChallenge = best.status === 401 || best.status === 407;
  const others = isChallenge ? results.filter(({ status }) => status === 401 || status === 407) : [];
  const challenges = others.flatMap((other) => (other !== best && other.response ? [other.response] : []));
  return { status: best.status, response: best.response, challenges };
}

/** Lower is better. */
function rank<R>({ status, response }: BranchResult<R>, isCancelled: boolean): number {
  const hundreds = Math.trunc(status / 100);
  const classRank = hundreds === 6 ? 0 : hundreds;
  return classRank * 10 + (isCancelled && status === 487 ? 0 : rankInClass(status)) + (response ? 0 : 1);
}

function rankInClass(status: number): number {
  if (resubmittable.has(status)) return 2;
  return status === 408 || status === 487 || status === 503 ? 6 : 4;
}
