import type { Command } from 'commander';
import { statusSchema } from '../../protocol/status.ts';
import { openApi } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { renderStatus } from '../output/status-screen.ts';
import { addVerb } from '../verb.ts';

/** `dualhome status`: one screen on how replication stands. */
export function addStatusVerb(parent: Command): void {
  addVerb(parent, {
    name: 'status',
    description: 'One screen: link, both directions, lag, last proof, what would be lost, alarms',
    examples: ['status', 'status -c /var/lib/dualhome/c1/site.yaml --json'],
    run: async (out, options) => {
      using api = await openApi(options);
      const status = await api.request('GET', '/v1/status', { answer: statusSchema });
      out.result(status, () => renderStatus(out, status));
      if (status.health === 'halted' || status.health === 'unknown') process.exitCode = exitCodes.failed;
    },
  });
}
