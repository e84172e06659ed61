import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 250;
const chunkBytesMax = 1_048_576;

/**
 * The last `lines` whole lines of a file that is appended to, then, where `signal` is given, those that come, until it
 * aborts. A file that is renamed away and begun anew is read on from its beginning; one that is not there yet is empty.
 */
export async function* followLines(
  path: string,
  lines: number,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  let at = { inode: 0, offset: 0 };
  let rest = '';
  let isFirst = true;
  do {
    const read = await readFrom(path, at);
    at = read.at;
    const all = (read.isAnew ? read.text : rest + read.text).split('\n');
    rest = all.pop() ?? '';
    yield* isFirst ? all.slice(-lines) : all;
    isFirst = false;
    if (read.isWhole && signal) await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  } while (signal && !signal.aborted);
}

type Place = { readonly inode: number; readonly offset: number };

/** What stands behind a place in the file; of another file, or a shorter one, from its beginning. */
async function readFrom(
  path: string,
  { inode, offset }: Place,
): Promise<{ text: string; at: Place; isAnew: boolean; isWhole: boolean }> {
  try {
    await using file = await open(path);
    const { ino, size } = await file.stat();
    const isAnew = ino !== inode || size < offset;
    const isStart = inode === 0;
    const from = isStart ? Math.max(0, size - chunkBytesMax) : isAnew ? 0 : offset;
    const buffer = Buffer.alloc(Math.min(size - from, chunkBytesMax));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const text = buffer.toString('utf8', 0, bytesRead);
    return { text, at: { inode: ino, offset: from + bytesRead }, isAnew, isWhole: from + bytesRead >= size };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { text: '', at: { inode, offset }, isAnew: false, isWhole: true };
  }
}
