import { errorRegistry } from '../../protocol/errors/index.ts';
import { silenceMs } from '../../protocol/link/limits.ts';
import type { PositionJson } from '../../protocol/link/position-json.ts';
import type { HoldReport, SendReport } from '../../protocol/link/report.ts';
import type { LogName } from '../../protocol/names.ts';
import type { Direction, Health } from '../../protocol/status.ts';
import { mismatchCodes } from '../apply/failure.ts';
import { knownCode } from '../link/said.ts';

/** What one end has said of a direction, and how long ago; its own end says it now. */
export type Said<T> = { readonly report: T; readonly ageMs: number };

export type DirectionFacts = {
  readonly log: LogName;
  readonly from: string;
  readonly to: string;
  readonly home: Said<SendReport> | undefined;
  readonly standby: Said<HoldReport> | undefined;
  /** Which of both is the other site's. */
  readonly remote: 'home' | 'standby';
  readonly linkUp: boolean;
};

/** Late enough to be called late; far beyond what a link in good order takes. */
const lateSeconds = 10;

const mismatches: ReadonlySet<string> = new Set(Object.values(mismatchCodes));

/** One direction as both sites show it: from what its two ends say, whichever of them asks. */
export function directionOf(facts: DirectionFacts): Direction {
  const { log, from, to } = facts;
  const home = facts.home?.report;
  const standby = facts.standby?.report;
  const applied = newest(standby?.applied?.seq, home?.confirmed);
  const head = home?.head ?? null;
  // Positions of histories that do not fit cannot be subtracted.
  const comparable = head !== null && applied !== null && !mismatches.has(standby?.code ?? '');
  const behind = comparable ? Math.max(0, head.seq - applied) : null;
  const proof = standby?.proof ?? null;
  return {
    log,
    from,
    to,
    health: needsResync(home, applied) ? 'halted' : healthOf(facts),
    heardSecondsAgo: heardSecondsAgo(facts),
    head,
    firstSeq: home?.firstSeq ?? null,
    sent: newest(home?.sent, applied),
    received: newest(standby?.received, applied),
    applied,
    eventsBehind: behind,
    secondsBehind: behind === 0 ? 0 : secondsOf(agedMs(standby?.behindMs, facts.standby)),
    bytesUnsent: behind === 0 ? 0 : (home?.bytesUnsent ?? null),
    lane: standby?.state ?? null,
    trouble: troubleOfDirection(facts, applied),
    proof,
    ready: proof?.equal ?? false,
    loss:
      behind === null ? null : { changes: behind, oldestSeconds: behind === 0 ? 0 : oldestSeconds(facts) },
  };
}

/** Whether a log that begins at `firstSeq` cannot be gone on with behind `applied`. */
export function lacksEvents(firstSeq: number, applied: number): boolean {
  return firstSeq > applied + 1;
}

function needsResync(home: SendReport | undefined, applied: number | null): boolean {
  return applied !== null && lacksEvents(home?.firstSeq ?? 0, applied);
}

function troubleOfDirection({ home, standby }: DirectionFacts, applied: number | null): Direction['trouble'] {
  const { code = null, detail = '' } = standby?.report ?? {};
  if (code !== null) return troubleOf(code, detail);
  return needsResync(home?.report, applied) ? troubleOf('LOG_PEER_NEEDS_RESYNC', '') : null;
}

/** A code with what the operator should do about it. */
export function troubleOf(code: string, detail: string): { code: string; detail: string; action: string } {
  const known = knownCode(code);
  return {
    code,
    detail: detail || (known ? errorRegistry[known].summary : ''),
    action: known ? errorRegistry[known].action : 'Upgrade this site: its software does not know this code.',
  };
}

/** Nothing is called good that was not heard of within three heartbeats. */
function healthOf(facts: DirectionFacts): Health {
  const standby = facts.standby?.report;
  if (standby?.state === 'parked' || standby?.proof?.equal === false) return 'halted';
  const head = facts.home?.report.head;
  if (!isCurrent(facts) || !head) return 'unknown';
  if (standby?.state !== 'applying') return 'catching-up';
  if ((standby.behindMs ?? 0) > lateSeconds * 1_000) return 'catching-up';
  return standby.proof || isEmpty(standby, head) ? 'ok' : 'unproven';
}

/** A log that has not begun, and a copy that holds nothing, need no proof. */
function isEmpty({ applied }: HoldReport, head: PositionJson): boolean {
  return head.seq === 0 && applied?.seq === 0;
}

function isCurrent(facts: DirectionFacts): boolean {
  const said = facts[facts.remote];
  return facts.linkUp && said !== undefined && said.ageMs < silenceMs;
}

function heardSecondsAgo(facts: DirectionFacts): number | null {
  return secondsOf(facts[facts.remote]?.ageMs ?? null);
}

/** An age that was said some time ago has grown since. */
function agedMs(ageMs: number | null | undefined, said: Said<unknown> | undefined): number | null {
  return typeof ageMs === 'number' && said ? ageMs + said.ageMs : null;
}

/** By the home's count if it has one, else by the standby's. */
function oldestSeconds({ home, standby }: DirectionFacts): number {
  const ageMs = agedMs(home?.report.oldestUnappliedMs, home) ?? agedMs(standby?.report.behindMs, standby);
  return secondsOf(ageMs) ?? 0;
}

function newest(...seqs: readonly (number | null | undefined)[]): number | null {
  const known = seqs.filter((seq) => typeof seq === 'number');
  return known.length > 0 ? Math.max(...known) : null;
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms) / 1_000;
}
