import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { RotatedLines } from '../../../services/platform/files/rotated-lines.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

describe('lines in rotated files', () => {
  it('stand in order; a full file is kept under the next number, the oldest goes', async () => {
    await using directory = await TemporaryDirectory.create();
    const path = directory.file('calls.jsonl');
    const options = { path, fileBytesMax: 10, oldFilesMax: 2, onProblem: () => undefined };
    for (const name of ['a', 'b', 'c', 'd']) {
      await using lines = new RotatedLines(options);
      for (let i = 0; i < 4; i++) lines.write(`${name}${i}`);
    }
    expect(await readFile(path, 'utf8')).toBe('d0\nd1\nd2\nd3\n');
    expect(await readFile(`${path}.1`, 'utf8')).toBe('c0\nc1\nc2\nc3\n');
    expect(await readFile(`${path}.2`, 'utf8')).toBe('b0\nb1\nb2\nb3\n');
    await expect(readFile(`${path}.3`)).rejects.toThrow('ENOENT');
  });

  it('that cannot be written are reported, and those behind them are tried again', async () => {
    await using directory = await TemporaryDirectory.create();
    const problems: string[] = [];
    {
      await using lines = new RotatedLines({
        path: directory.file('nowhere/calls.jsonl'),
        fileBytesMax: 10,
        oldFilesMax: 1,
        onProblem: (reason) => problems.push(reason),
      });
      lines.write('lost');
    }
    expect(problems).toEqual([expect.stringContaining('ENOENT')]);
  });
});
