import { writeSync } from 'node:fs';

type Action = 'kill' | 'throw' | 'pause';
type Failpoint = { readonly action: Action; readonly atHit: number | undefined; hits: number };

/** Parses `name=kill,other=throw@3`; anything else is an error, so that a typo cannot make a fault test pass. */
export function parseFailpoints(text: string): Map<string, Failpoint> {
  const points = new Map<string, Failpoint>();
  for (const item of text.split(',').filter((part) => part !== '')) {
    const match = /^([a-z0-9.-]+)=(kill|throw|pause)(?:@([1-9]\d*))?$/.exec(item);
    if (!match) throw new Error(`DUALHOME_FAILPOINT: "${item}" is not <name>=kill|throw|pause[@hit]`);
    const [, name = '', action, hit] = match;
    points.set(name, { action: action as Action, atHit: hit ? Number(hit) : undefined, hits: 0 });
  }
  return points;
}

const points = parseFailpoints(process.env['DUALHOME_FAILPOINT'] ?? '');

function hit(name: string): void {
  const point = points.get(name);
  if (!point) return;
  point.hits += 1;
  if (point.atHit !== undefined && point.atHit !== point.hits) return;
  writeSync(2, `failpoint ${name} ${point.action}\n`);
  if (point.action === 'throw') throw new Error(`failpoint ${name}`);
  process.kill(process.pid, point.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}

/**
 * A named place where a fault test makes this process fail, by the environment variable
 * DUALHOME_FAILPOINT: `kill` is SIGKILL to itself, `throw` throws, `pause` stops the whole process until
 * SIGCONT; `@n` acts at the n-th hit only. The line `failpoint <name> <action>` on stderr goes before it.
 */
export const failpoint: (name: string) => void = points.size === 0 ? () => undefined : hit;
