import type { Actor } from '../../protocol/event.ts';
import type { ChangeBody, ChangeDone } from '../../protocol/rest/changes.ts';
import type { Wait } from '../../protocol/rest/config.ts';
import type { ApiContext } from '../context.ts';
import { parseChange } from './parse-change.ts';

/** What a request in the queue holds in memory beside its text. */
const REQUEST_BYTES = 1_000;

export type SubmitOptions = {
  readonly actor: Actor;
  readonly wait: Wait;
  /** Where the change was read, for messages. */
  readonly where?: string | undefined;
  /** Length of its text. */
  readonly bytes?: number | undefined;
};

/** Makes one change and waits until it is done. @throws CONFIG_*, LOG_*, POSTGRES_* */
export async function submitChange(
  { homeLog, sealer, applied }: Pick<ApiContext, 'homeLog' | 'sealer' | 'applied'>,
  change: ChangeBody,
  { actor, wait, where, bytes = 0 }: SubmitOptions,
): Promise<ChangeDone> {
  const { kind, intent } = parseChange(sealer, change, where);
  const request = { kind, intents: [intent], actor, reason: change.reason ?? '' };
  const { seq, rowsChanged } = await homeLog.submit(request, bytes + REQUEST_BYTES);
  if (wait === 'applied') await applied.until(seq);
  return { seq, changed: rowsChanged > 0 };
}
