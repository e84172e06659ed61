import { alarmListSchema, alarmsQuerySchema } from '../../protocol/rest/alarms.ts';
import type { AlarmView } from '../../protocol/rest/alarms.ts';
import { allow } from '../access.ts';
import type { ApiContext } from '../context.ts';
import { listAlarms } from '../store/alarms.ts';
import type { Alarm } from '../store/alarms.ts';

export function alarmRoutes(context: ApiContext): void {
  context.server.app.get(
    '/v1/alarms',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Conditions an operator must know of, newest first',
        querystring: alarmsQuerySchema,
        response: { 200: alarmListSchema },
      },
    },
    async ({ query }) => ({ alarms: (await listAlarms(context.shared, query)).map(shown) }),
  );
}

function shown({ id, code, subject, detail, facts, ...times }: Alarm): AlarmView {
  return {
    id,
    code,
    subject,
    detail,
    facts: { ...facts },
    raisedAt: times.raised_at.toISOString(),
    clearedAt: times.cleared_at?.toISOString() ?? null,
    clearedBy: times.cleared_by,
  };
}
