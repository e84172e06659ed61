import type { Command } from 'commander';
import {
  callExplanationSchema,
  dispatchExplanationSchema,
  dispatchTableSchema,
} from '../../protocol/rest/dispatch.ts';
import type {
  CallExplanation,
  DispatchExplanation,
  DispatchTable,
  ProcessorView,
} from '../../protocol/rest/dispatch.ts';
import { openApi } from '../connection.ts';
import type { Output } from '../output/output.ts';
import { formatFacts, formatTable } from '../output/table.ts';
import { addVerb } from '../verb.ts';

/** `dualhome dispatch`: which processor decides about whom. */
export function addDispatchVerbs(parent: Command): void {
  const dispatch = parent.command('dispatch').description('Which processor of the site decides about whom');
  addVerb(dispatch, {
    name: 'show',
    description: 'The dispatch table in effect: processors in the order in which they are asked, and rules',
    examples: ['dispatch show'],
    run: async (out, options) => {
      using api = await openApi(options);
      const table = await api.request('GET', '/v1/dispatch', { answer: dispatchTableSchema });
      out.result(table, () => renderTable(out, table));
    },
  });
  addVerb<{ readonly from: string | undefined }, readonly [string]>(dispatch, {
    name: 'explain',
    description:
      'Which processor decides about an address of record, and why; with --from, what would become of a call, step by step',
    examples: [
      'dispatch explain alice@example.com',
      'dispatch explain +44200100 --from alice@example.com',
      'dispatch explain bob --from alice@example.com --json',
    ],
    define: (command) =>
      command
        .argument('<what>', 'address of record: user@domain; of a call, what is dialled')
        .option('--from <aor>', 'address of record of the caller'),
    run: async (out, options, what) => {
      using api = await openApi(options);
      const { from } = options;
      if (from !== undefined) {
        const answer = await api.request('GET', '/v1/dispatch/explain-call', {
          query: { from, called: what },
          answer: callExplanationSchema,
        });
        return out.result(answer, () => renderCall(answer));
      }
      const answer = await api.request('GET', '/v1/dispatch/explain', {
        query: { aor: what },
        answer: dispatchExplanationSchema,
      });
      out.result(answer, () => renderExplanation(answer));
    },
  });
}

function renderTable(out: Output, { processors, rules }: DispatchTable): string {
  const ofProcessors = formatTable(
    [{ head: 'OWNER' }, { head: 'ROLE' }, { head: 'STATE' }],
    processors.map((processor) => [
      processor.owner,
      processor.role,
      out.style(processor.serving ? 'green' : 'red', stateOf(processor)),
    ]),
  );
  if (rules.length === 0) return `${ofProcessors}\n\nNo rules`;
  const ofRules = formatTable(
    [{ head: 'RULE' }, { head: 'MATCHES' }, { head: 'ACTION' }, { head: 'PROCESSOR' }],
    rules.map(({ name, matches, action, processor }) => [name, matches, action, processor]),
  );
  return `${ofProcessors}\n\n${ofRules}`;
}

const bases: Readonly<Record<DispatchExplanation['basis'], string>> = {
  rule: 'a rule pins it',
  flows: 'its flows are recorded with their owner',
  cache: 'that processor knew it when it was last asked',
  order: 'nothing is known of it: all are asked in turn',
};

function renderExplanation({ aor, basis, rule, asked, decidedBy, drainedBy }: DispatchExplanation): string {
  return formatFacts([
    ['address', aor],
    ['asked', asked.map((processor) => `${processor.owner} (${stateOf(processor)})`).join(', then ')],
    ['because', rule ? `${bases[basis]}: ${rule.name} (${rule.matches})` : bases[basis]],
    ['subscriber of', decidedBy ?? 'nobody here'],
    ['drained by', drainedBy ? `${drainedBy.name} (${drainedBy.matches}): its devices get 503` : undefined],
  ]);
}

const renderCall = ({ steps }: CallExplanation): string =>
  steps.map((step, i) => `${String(i + 1).padStart(String(steps.length).length)}. ${step}`).join('\n');

const stateOf = ({ serving, reason }: ProcessorView): string =>
  serving ? 'serving' : (reason ?? 'not answering');
