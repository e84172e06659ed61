import type { Command } from 'commander';
import { errorRegistry } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';
import { alarmListSchema } from '../../protocol/rest/alarms.ts';
import type { AlarmView } from '../../protocol/rest/alarms.ts';
import { openApi } from '../connection.ts';
import { wholeNumber } from '../options.ts';
import { formatTime } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { addVerb } from '../verb.ts';

type AlarmOptions = { readonly cleared: boolean; readonly limit: number };

/** `dualhome alarms`: conditions an operator must know of. */
export function addAlarmsVerb(parent: Command): void {
  addVerb<AlarmOptions>(parent, {
    name: 'alarms',
    description: 'What an operator must know of, with what to do about it',
    examples: ['alarms', 'alarms --cleared --limit 20'],
    define: (command) =>
      command
        .option('--cleared', 'also those that are over', false)
        .option('--limit <alarms>', 'at most so many', wholeNumber(1, 1_000), 100),
    run: async (out, options) => {
      const { cleared, limit } = options;
      using api = await openApi(options);
      const answer = await api.request('GET', '/v1/alarms', {
        query: { cleared, limit },
        answer: alarmListSchema,
      });
      const text = answer.alarms.map((alarm) => renderAlarm(out, alarm)).join('\n\n');
      out.result(answer, () => text || 'No alarms');
    },
  });
}

function renderAlarm(
  out: Output,
  { code, subject, detail, raisedAt, clearedAt, clearedBy }: AlarmView,
): string {
  const known = Object.hasOwn(errorRegistry, code) ? errorRegistry[code as ErrorCode] : undefined;
  const times =
    clearedAt === null
      ? `since ${formatTime(raisedAt)}`
      : `${formatTime(raisedAt)} to ${formatTime(clearedAt)}, cleared by ${clearedBy ?? 'nobody known'}`;
  const lines = [
    `${out.style(clearedAt === null ? 'red' : 'dim', code)} ${subject}, ${times}`,
    `  ${detail}`,
  ];
  return [...lines, ...(known && clearedAt === null ? [`  ${known.action}`] : [])].join('\n');
}
