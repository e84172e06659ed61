import { appendFile, rename, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { followLines } from '../../../services/platform/files/follow-lines.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

describe('following a file of lines', () => {
  it('gives the last ones, those that come, and those of the file that takes its place', async () => {
    await using directory = await TemporaryDirectory.create();
    const path = directory.file('calls.jsonl');
    await writeFile(path, 'a\nb\nc\nhal');
    const stopping = new AbortController();
    const seen: string[] = [];
    const steps = [
      () => appendFile(path, 'f\n'),
      async () => {
        await rename(path, `${path}.1`);
        await writeFile(path, 'new\n');
      },
      async () => stopping.abort(),
    ];
    for await (const line of followLines(path, 2, stopping.signal)) {
      seen.push(line);
      if (line !== 'b') await steps.shift()?.();
    }
    expect(seen).toEqual(['b', 'c', 'half', 'new']);
  });

  it('ends at once without a signal; a file that is not there is empty', async () => {
    await using directory = await TemporaryDirectory.create();
    const lines: string[] = [];
    for await (const line of followLines(directory.file('nothing'), 5)) lines.push(line);
    expect(lines).toEqual([]);
  });
});
