import type { LogName } from '../protocol/names.ts';
import type { Notice } from './commit-run.ts';

/** NOTIFYed with schema and seq when a copy of a peer's registrations has changed; a hint, reading by seq is the truth. */
export const peerFlowsChannel = 'dualhome_peer_flows';

/** What is to be notified in the transaction that changes the copy in `schema`; undefined where nobody follows it. */
export function copyNotice(log: LogName, schema: string | undefined, seq: number): Notice | undefined {
  return log === 'registration' ? { channel: peerFlowsChannel, text: `${schema} ${seq}` } : undefined;
}
