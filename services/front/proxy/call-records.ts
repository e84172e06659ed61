import type { CallRecord } from '../../protocol/call-record.ts';
import type { Found } from '../../protocol/dispatch/call.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Request } from '../../sip/message/message.ts';
import { decodeText } from '../../sip/message/text.ts';
import type { SendTarget } from '../calls/target.ts';
import type { From } from './attempt.ts';
import type { CallObserver } from './call-runner.ts';

/** Where records go. */
export type CallRecords = { readonly write: (record: CallRecord) => void };

const textMax = 256;
const listMax = 16;

/** Gathers what becomes of one call and writes it down when it has a final answer. */
export function recordCall(
  request: Request,
  from: From,
  { site, clock, records }: { readonly site: string; readonly clock: Clock; readonly records: CallRecords },
): CallObserver {
  const startMs = clock.monotonicMs();
  const time = new Date(clock.nowMs()).toISOString();
  const targets: string[] = [];
  const founds: Found[] = [];
  let ringingMs: number | null = null;
  const elapsedMs = (): number => Math.round(clock.monotonicMs() - startMs);
  return {
    onSent: (target) => {
      const name = targetName(target, site);
      if (targets.length < listMax && targets.at(-1) !== name) targets.push(name);
    },
    onProvisional: (status) => {
      if (status >= 180) ringingMs ??= elapsedMs();
    },
    onFound: (found) => void founds.push(found),
    onFinal: (status, reason) =>
      records.write({
        time,
        site,
        callId: shown(request.callId),
        caller: callerName(from, request),
        dialled: shown(request.uriText),
        callees: founds.map(({ aor }) => aor),
        processors: {
          caller: from.kind === 'caller' ? from.owner : null,
          callees: founds.map(({ owner }) => owner),
        },
        targets,
        status,
        reason: reason ?? null,
        ringingMs,
        finalMs: elapsedMs(),
      }),
  };
}

function callerName(from: From, request: Request): string {
  if (from.kind === 'peer') return `${shown(request.from?.uriText)} by ${from.name}`;
  if (from.kind === 'dialog') return shown(request.from?.uriText);
  return from.caller.kind === 'subscriber'
    ? from.caller.aor
    : `${shown(request.from?.uriText)} by ${from.caller.name}`;
}

function targetName(target: SendTarget, site: string): string {
  switch (target.kind) {
    case 'flow':
    case 'edge':
      return `site ${site}`;
    case 'peer':
      return `site ${target.site}`;
    case 'next-hop':
      return target.uri;
    case 'onward':
      return `${target.server.address}:${target.server.port}`;
  }
}

function shown(text = ''): string {
  return decodeText(text).slice(0, textMax);
}
