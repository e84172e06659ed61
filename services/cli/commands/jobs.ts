import { Option } from 'commander';
import type { Command } from 'commander';
import { jobListSchema, jobSchema, jobStateSchema } from '../../protocol/rest/jobs.ts';
import type { JobState } from '../../protocol/rest/jobs.ts';
import { openApi } from '../connection.ts';
import { readJob } from '../jobs.ts';
import { wholeNumber } from '../options.ts';
import { renderJob, renderJobs } from '../output/job-screen.ts';
import { addVerb } from '../verb.ts';

type ListOptions = { readonly state: JobState | undefined; readonly limit: number };

const example = '0b8f6f2e-6f0c-4f37-9d52-0c5f3c1c7a11';

/** `dualhome jobs …`: what transfers and verifications there were and are. */
export function addJobVerbs(parent: Command): void {
  const jobs = parent.command('jobs').description('See, cancel and repeat jobs');
  addVerb<ListOptions>(jobs, {
    name: 'list',
    description: 'Jobs, newest first',
    examples: ['jobs list', 'jobs list --state running'],
    define: (command) =>
      command
        .addOption(new Option('--state <state>', 'only jobs in this state').choices(jobStateSchema.options))
        .option('--limit <jobs>', 'at most so many', wholeNumber(1, 1_000), 20),
    run: async (out, options) => {
      const { state, limit } = options;
      using api = await openApi(options);
      const answer = await api.request('GET', '/v1/jobs', { query: { state, limit }, answer: jobListSchema });
      out.result(answer, () => renderJobs(out, answer.jobs));
    },
  });
  addVerb<object, [id: string]>(jobs, {
    name: 'show',
    description: 'One job: progress, result, error and what to do about it',
    examples: [`jobs show ${example}`],
    define: withId,
    run: async (out, options, id) => {
      using api = await openApi(options);
      const job = await readJob(api, id);
      out.result(job, () => renderJob(out, job));
    },
  });
  for (const [name, description] of [
    ['cancel', 'Ask a job to end; works until its swap commits'],
    ['retry', 'Run a job that has ended once more'],
  ] as const) {
    addVerb<object, [id: string]>(jobs, {
      name,
      description,
      examples: [`jobs ${name} ${example}`],
      define: withId,
      run: async (out, options, id) => {
        using api = await openApi(options);
        const path = `/v1/jobs/${encodeURIComponent(id)}/${name}`;
        const job = await api.request('POST', path, { answer: jobSchema });
        out.result(job, () => renderJob(out, job));
      },
    });
  }
}

function withId(command: Command): Command {
  return command.argument('<job>', 'its id, as `dualhome jobs list` shows it');
}
