import { readdir, readlink, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Files below `directory` that a process has open (Linux). */
export async function openFiles(pid: number, directory: string): Promise<string[]> {
  const links = (await readdir(`/proc/${pid}/fd`)).map((fd) => `/proc/${pid}/fd/${fd}`);
  const targets = await Promise.all(links.map((link) => readlink(link).catch(() => '')));
  return targets.filter((target) => target.startsWith(directory));
}

/** Resolves when the process has one of them open. */
export async function opened(pid: number, directory: string): Promise<void> {
  while ((await openFiles(pid, directory)).length === 0) await wait(2);
}

/** Whether the process has closed all of them before `deadlineMs` have passed. */
export async function closesFiles(pid: number, directory: string, deadlineMs: number): Promise<boolean> {
  return within(deadlineMs, async () => (await openFiles(pid, directory)).length === 0);
}

/** Whether the file is gone before `deadlineMs` have passed. */
export async function removed(path: string, deadlineMs: number): Promise<boolean> {
  return within(deadlineMs, async () => (await sizeOf(path)) === undefined);
}

/** Resolves when a file has at least that many bytes. */
export async function grown(path: string, bytes: number): Promise<void> {
  while (((await sizeOf(path)) ?? 0) < bytes) await wait(2);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

async function within(deadlineMs: number, condition: () => Promise<boolean>): Promise<boolean> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) return false;
    await wait(5);
  }
  return true;
}
