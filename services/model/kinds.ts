import { device } from './device.ts';
import { dispatchRule } from './dispatch-rule.ts';
import { domain } from './domain.ts';
import { environment } from './environment.ts';
import type { Kind } from './kind.ts';
import { number } from './number.ts';
import { route } from './route.ts';
import { subscriber } from './subscriber.ts';
import { thirdPartySite } from './third-party-site.ts';

/** Every configuration kind, in the order in which snapshots carry and screens list them. */
export const kinds: readonly Kind[] = [
  domain,
  device,
  subscriber,
  number,
  route,
  thirdPartySite,
  environment,
  dispatchRule,
];

const byName = new Map(kinds.map((kind) => [kind.name, kind]));

/** The kind called `name`, or undefined. */
export function kindNamed(name: string): Kind | undefined {
  return byName.get(name);
}
