import type { Found } from '../../protocol/dispatch/call.ts';
import type { Forwarding, ForwardingReason } from './history-info.ts';

/** Somebody called: who it turned out to be, what became of his devices, and how the call came to him. */
export class Party {
  readonly forwardings: readonly Forwarding[];
  found: Found | undefined;
  isForwarded = false;
  readonly #failures = new Map<number, number | undefined>();

  constructor(forwardings: readonly Forwarding[]) {
    this.forwardings = forwardings;
  }

  /** A branch to him failed with this status; with undefined where nothing came. */
  failed(branch: number, status: number | undefined): void {
    this.#failures.set(branch, status);
  }

  /** Why his calls go on, once every branch has failed; undefined where a device declined or answered otherwise. */
  reason(): ForwardingReason | undefined {
    const statuses = [...this.#failures.values()];
    if (statuses.some((status) => status === 486 || status === 600)) return 'busy';
    return statuses.every((status) => status === undefined || unreachable.has(status))
      ? 'unreachable'
      : undefined;
  }
}

const unreachable = new Set([408, 410, 430, 480, 500, 502, 503, 504]);
