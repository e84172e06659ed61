import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds by the name of what used them. */
export type CpuSeconds = ReadonlyMap<string, number>;

/** Of Linux on x64 (getconf CLK_TCK). */
const ticksPerSecond = 100;

type Stat = { readonly parent: number; readonly ticks: number; readonly endedTicks: number };

/** Of this process. */
export function cpuOfBench(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Of children of this process that have ended: proc(5), stat, fields 16 and 17. */
export function cpuOfEndedChildren(): number {
  return (readStat(process.pid)?.endedTicks ?? 0) / ticksPerSecond;
}

/** What a process and its descendants have used so far, those that have ended included. */
export function cpuSecondsOf(pid: number): number {
  const stats = new Map<number, Stat>();
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? readStat(Number(entry)) : undefined;
    if (stat) stats.set(Number(entry), stat);
  }
  const ticks = (of: number): number =>
    [...stats].reduce((sum, [child, { parent }]) => (parent === of ? sum + ticks(child) : sum), 0) +
    (stats.get(of)?.ticks ?? 0);
  return ticks(pid) / ticksPerSecond;
}

/** proc(5), stat: fields 4, and 14 to 17. */
function readStat(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const sum = (from: number): number => Number(fields[from]) + Number(fields[from + 1]);
    return { parent: Number(fields[1]), ticks: sum(11) + sum(13), endedTicks: sum(13) };
  } catch {
    return undefined;
  }
}

/** `c1 api 4.2, c1 home 3.1`, the largest first; what used next to nothing is left out. */
export function describeCpu(before: CpuSeconds, after: CpuSeconds): string {
  return [...after]
    .map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)] as const)
    .filter(([, seconds]) => seconds >= 0.05)
    .sort(([, a], [, b]) => b - a)
    .map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`)
    .join(', ');
}
