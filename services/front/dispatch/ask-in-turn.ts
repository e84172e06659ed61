import type { Decision, Facts } from '../../protocol/dispatch/messages.ts';

/** Who asks a processor. */
export type Asker = {
  /** Once: what it decides; undefined where it does not say. */
  readonly decide: (decision: Decision | undefined) => void;
  /** At most once, before that: it has been silent for longer than another should be kept waiting. */
  readonly late: () => void;
};

/** Who can be asked. */
export type Respondent = { ask(facts: Facts, asker: Asker): void };

/** What came of asking: who decided what; or nobody's; or 503, where who might know does not say. */
export type Turn<R> =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly by: R }
  | { readonly kind: 'unknown'; readonly decision: Decision & { kind: 'not-mine' } }
  | { readonly kind: 'unavailable' };

export const unavailable = { kind: 'unavailable' } as const;

/**
 * Asks one after the other until one decides: the next when one says "not mine" or nothing, and already beside one that
 * is late, so that the death of one does not delay the others' devices.
 */
export function askInTurn<R extends Respondent>(respondents: readonly R[], facts: Facts): Promise<Turn<R>> {
  const { promise, resolve } = Promise.withResolvers<Turn<R>>();
  const undecided: Exclude<Turn<R>, { kind: 'decided' }>[] = [];
  let [asked, settled, isDecided] = [0, 0, false];

  const askNext = (): void => {
    const at = asked;
    const respondent = respondents[at];
    if (isDecided || !respondent) return;
    asked += 1;
    const askAfter = (): void => {
      if (asked === at + 1) askNext();
    };
    const decide = (decision: Decision | undefined): void => {
      const turn = turnOf(respondent, decision);
      if (turn.kind === 'decided') {
        isDecided = true;
        return resolve(turn);
      }
      undecided[at] = turn;
      settled += 1;
      askAfter();
      if (settled === respondents.length) resolve(bestOf(undecided));
    };
    respondent.ask(facts, { decide, late: askAfter });
  };

  if (respondents.length === 0) resolve(unavailable);
  askNext();
  return promise;
}

/** A processor that is not ready says 503, which decides nothing about whose the address is. */
function turnOf<R>(by: R, decision: Decision | undefined): Turn<R> {
  if (!decision || (decision.kind === 'refused' && decision.status === 503)) return unavailable;
  return decision.kind === 'not-mine' ? { kind: 'unknown', decision } : { kind: 'decided', decision, by };
}

/** "Unavailable" if anybody was, else nobody's, with a challenge if anybody had one. */
function bestOf<T extends Exclude<Turn<unknown>, { kind: 'decided' }>>(undecided: readonly T[]): T {
  const challenged = undecided.find((each) => each.kind === 'unknown' && each.decision.challenge !== null);
  const best = undecided.find(({ kind }) => kind === 'unavailable') ?? challenged ?? undecided[0];
  if (!best) throw new Error('nobody was asked');
  return best;
}
