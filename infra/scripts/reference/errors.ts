import { errorRegistry } from '../../../services/protocol/errors/index.ts';
import type { ErrorDefinition } from '../../../services/protocol/errors/index.ts';

const retries = {
  yes: 'Trying again at once can help.',
  later: 'Trying again helps when the cause has passed.',
  no: 'Trying again unchanged does not help.',
} as const;

/** Every error code with what happened and what to do, by area. */
export function errorReference(): string {
  const entries: readonly (readonly [string, ErrorDefinition])[] = Object.entries(errorRegistry).sort(
    ([a], [b]) => (a < b ? -1 : 1),
  );
  const sections = entries.map(
    ([code, { summary, action, retry, http }]) =>
      `## ${code}\n\n${summary}\n\n**What to do.** ${action}\n\n${retries[retry]} HTTP status ${http}.\n`,
  );
  return `# Error codes\n\nEach expected failure has a code, the same in the command, the HTTP API, the logs and alarms.\n\n${sections.join('\n')}`;
}
