import type { Command } from 'commander';
import {
  distributedAorSchema,
  distributionAorsMax,
  distributionPageSchema,
} from '../../protocol/rest/distribution.ts';
import { openApi } from '../connection.ts';
import { wholeNumber } from '../options.ts';
import { renderAor, renderDistribution } from '../output/distribution-screen.ts';
import { addVerb } from '../verb.ts';

type ListOptions = {
  readonly after: string | undefined;
  readonly prefix: string | undefined;
  readonly limit: number;
};

/** `dualhome distribution …`: who is registered where. */
export function addDistributionVerbs(parent: Command): void {
  const distribution = parent
    .command('distribution')
    .description('Who is registered where, of this site and its peers');
  addVerb<ListOptions>(distribution, {
    name: 'list',
    description: 'Addresses of record with their flows, in order, and how many flows each site has',
    examples: ['distribution list', 'distribution list --prefix alice --json'],
    define: (command) =>
      command
        .option('--prefix <text>', 'only addresses that begin so')
        .option('--after <aor>', 'those behind this one')
        .option('--limit <addresses>', 'at most so many', wholeNumber(1, distributionAorsMax), 50),
    run: async (out, options) => {
      const { after, prefix, limit } = options;
      using api = await openApi(options);
      const page = await api.request('GET', '/v1/distribution', {
        query: { after, prefix, limit },
        answer: distributionPageSchema,
      });
      out.result(page, () => renderDistribution(out, page));
      if (page.next !== null) out.note(`More: --after ${page.next}`);
    },
  });
  addVerb<object, [aor: string]>(distribution, {
    name: 'show',
    description: 'The flows of one address of record: which is preferred and why, since when, until when',
    examples: ['distribution show alice@c1.example'],
    define: (command) => command.argument('<aor>', 'address of record: user@domain'),
    run: async (out, options, aor) => {
      using api = await openApi(options);
      const found = await api.request('GET', `/v1/distribution/${encodeURIComponent(aor)}`, {
        answer: distributedAorSchema,
      });
      out.result(found, () => renderAor(out, found));
    },
  });
}
