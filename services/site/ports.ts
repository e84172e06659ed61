import { z } from 'zod';
import { DualhomeError } from '../protocol/errors/index.ts';
import { readJsonFile, writeJsonFile } from '../platform/files/json.ts';
import type { PortRange } from './config/values.ts';
import type { SiteLayout } from './layout.ts';

const portsSchema = z.record(z.string(), z.int());

/** Loopback ports by what uses them: `postgres.home`, `api`, `synchronizer`. */
export type LoopbackPorts = Readonly<Record<string, number>>;

/**
 * Gives each user its port and keeps it in a file, so that it stays the same over restarts and when peers come and
 * go. Whoever is no longer a user loses its port; a port outside a changed range is given anew.
 *
 * @throws SITE_PORTS_EXHAUSTED
 */
export async function assignLoopbackPorts(
  layout: SiteLayout,
  range: PortRange,
  users: readonly string[],
): Promise<LoopbackPorts> {
  const before = (await readJsonFile(layout.ports, portsSchema)) ?? {};
  const ports = allot(before, range, users);
  if (JSON.stringify(ports) !== JSON.stringify(before)) await writeJsonFile(layout.ports, ports);
  return ports;
}

/** The assignment itself: kept where it can be, else the lowest free port of the range. */
export function allot(
  before: LoopbackPorts,
  { min, max }: PortRange,
  users: readonly string[],
): LoopbackPorts {
  const kept = users.flatMap((user): [string, number][] => {
    const port = before[user];
    return port !== undefined && port >= min && port <= max ? [[user, port]] : [];
  });
  const ports = new Map(kept);
  const taken = new Set(ports.values());
  for (const user of users) {
    if (ports.has(user)) continue;
    let port = min;
    while (taken.has(port)) port += 1;
    if (port > max) {
      throw new DualhomeError('SITE_PORTS_EXHAUSTED', {
        detail: `${users.length} ports are needed, ${min}-${max} has ${max - min + 1}`,
      });
    }
    ports.set(user, port);
    taken.add(port);
  }
  return Object.fromEntries(users.map((user) => [user, ports.get(user) ?? 0]));
}
