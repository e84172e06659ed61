import { readdir, readlink, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Files below `directory` that a process has open (Linux). */
export async function openFiles(pid: number, directory: string): Promise<string[]> {
  const links = (await readdir(`/proc/${pid}/fd`)).map((fd) => `/proc/${pid}/fd/${fd}`);
  const targets = await Promise.all(links.map((link) => readlink(link).catch(() => '')));
  return targets.filter((target) => target.startsWith(directory));
}

/** Whether the process has closed all of them before `deadlineMs` have passed. */
export async function closesFiles(pid: number, directory: string, deadlineMs: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  while ((await openFiles(pid, directory)).length > 0) {
    if (performance.now() > deadline) return false;
    await wait(5);
  }
  return true;
}

/** Resolves when a file has at least that many bytes. */
export async function grown(path: string, bytes: number): Promise<void> {
  while (((await stat(path).catch(() => undefined))?.size ?? 0) < bytes) await wait(2);
}
