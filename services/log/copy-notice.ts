import type { LogName } from '../protocol/names.ts';
import type { Statement } from '../platform/postgres/statement.ts';

/** NOTIFYed with schema and seq when a copy of a peer's registrations has changed; a hint, reading by seq is the truth. */
export const peerFlowsChannel = 'dualhome_peer_flows';

/** Statements, to be part of the transaction that changes a copy, by which those who follow it learn of it. */
export function copyNotice(log: LogName, seq: number): readonly Statement[] {
  if (log !== 'registration') return [];
  return [
    {
      name: 'log.copy-notice',
      text: `select pg_notify('${peerFlowsChannel}', current_schema() || ' ' || $1)`,
      values: [String(seq)],
    },
  ];
}
