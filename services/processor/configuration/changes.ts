import { z } from 'zod';
import { changedType } from '../../protocol/event.ts';
import type { Kind } from '../../model/kind.ts';
import { device } from '../../model/device.ts';
import { number } from '../../model/number.ts';
import { subscriber } from '../../model/subscriber.ts';

/** What events of the configuration log say has changed. */
export type Changes = {
  /** Whether what is held whole in memory has to be read again. */
  readonly common: boolean;
  /** Addresses of record whose subscriber or devices changed. */
  readonly aors: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
  /** So many rows changed that they are not named: whatever was looked up before is void. */
  readonly many: boolean;
  /** Another history began: whatever was read before is void. */
  readonly everything: boolean;
};

const versionSchema = z.looseObject({ aor: z.string().nullish() }).nullable();
const eventSchema = z.looseObject({
  type: z.string(),
  data: z.looseObject({
    rows: z.array(z.looseObject({ key: z.string(), before: versionSchema, after: versionSchema })).optional(),
  }),
});

const changed = ({ name }: Kind): string => changedType('config', name);

/** In the order of an event's members nothing that a caller may choose comes before its type. */
const beginning = /^\{"specversion":"1\.0","id":"[^"]*","source":"[^"]*","type":"([^"]+)"/;
/** Kinds whose rows are looked up, and those of which none is held whole. */
const lookedUp: ReadonlySet<string> = new Set([subscriber, number, device].map(changed));
const onlyLookedUp: ReadonlySet<string> = new Set([subscriber, number].map(changed));

/**
 * What these events touch. Of one that is cut off its type tells; one that is not understood, or begins an incarnation,
 * touches everything.
 */
export function changesOf(bodies: readonly Buffer[]): Changes {
  const aors = new Set<string>();
  const numbers = new Set<string>();
  let common = false;
  let many = false;
  let everything = false;
  for (const body of bodies) {
    const event = readEvent(body);
    const rows = event?.data.rows;
    const cutType = event ? undefined : beginning.exec(body.toString('latin1'))?.[1];
    if (cutType?.endsWith('.changed')) {
      many ||= lookedUp.has(cutType);
      common ||= !onlyLookedUp.has(cutType);
    } else if (!event || !rows) everything = true;
    else if (event.type === changed(subscriber)) for (const { key } of rows) aors.add(key);
    else if (event.type === changed(number)) for (const { key } of rows) numbers.add(key);
    else if (event.type === changed(device)) {
      const versions = rows.flatMap(({ before, after }) => [before, after]);
      for (const version of versions) {
        if (version?.aor) aors.add(version.aor);
        else if (version) common = true;
      }
    } else common = true;
  }
  return { common, aors, numbers, many, everything };
}

function readEvent(body: Buffer): z.infer<typeof eventSchema> | undefined {
  try {
    return eventSchema.parse(JSON.parse(body.toString()));
  } catch {
    return undefined;
  }
}
