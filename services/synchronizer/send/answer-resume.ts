import type { ResumeOutcome } from '../../protocol/link/frame.ts';
import { describePosition } from '../../protocol/position.ts';
import type { Position } from '../../protocol/position.ts';
import type { OwnFacts } from '../store/own-log.ts';

export type ResumeAnswer = { readonly outcome: ResumeOutcome; readonly detail: string };

/**
 * How the position of a standby stands to this log. Only a position that is proven to be a point of
 * this history is answered with `ok`; whatever else it is, nothing will be overwritten.
 */
export function answerResume(position: Position, home: OwnFacts): ResumeAnswer {
  const { head, firstSeq, hashAt, incarnationAt, knowsIncarnation } = home;
  const held = `the standby is at ${describePosition(position)}`;
  const own = `this log at ${describePosition(head)}`;
  if (position.seq > 0) {
    if (!knowsIncarnation)
      return { outcome: 'restored', detail: `${held}, ${own} knows no such incarnation` };
    if (incarnationAt !== position.incarnation) {
      return { outcome: 'replaced', detail: `${held}, ${own} has gone on before it in another incarnation` };
    }
    if (position.seq > head.seq) return { outcome: 'restored', detail: `${held}, ${own} does not reach it` };
    const hash = position.seq === head.seq ? head.hash : hashAt;
    if (hash && !hash.equals(position.hash)) {
      return { outcome: 'forked', detail: `${held}, ${own} has ${hash.toString('hex', 0, 4)} there` };
    }
  }
  const followed = position.seq === head.seq || (firstSeq !== null && firstSeq <= position.seq + 1);
  if (followed && (position.seq === 0 || position.seq === head.seq || hashAt))
    return { outcome: 'ok', detail: '' };
  return { outcome: 'snapshot-needed', detail: `${held}, ${own} holds events from ${firstSeq ?? 'none'}` };
}
