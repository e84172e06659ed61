import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readJsonFile, writeJsonFile } from '../../../services/platform/files/json.ts';
import { fileModes, writeFileAtomic } from '../../../services/platform/files/write-atomic.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

const schema = z.object({ seq: z.int() });

test('a file is replaced with the given mode, and nothing is left beside it', async () => {
  await using directory = await TemporaryDirectory.create();
  const path = directory.file('key.pem');
  await writeFile(path, 'old', { mode: 0o644 });
  await writeFileAtomic(path, 'new', { mode: fileModes.private });
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory.path)).toEqual(['key.pem']);
});

test('a write that fails leaves what was there and nothing beside it', async () => {
  await using directory = await TemporaryDirectory.create();
  await mkdir(directory.file('taken'));
  await expect(writeFileAtomic(directory.file('taken'), 'x')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  expect(await readdir(directory.path)).toEqual(['taken']);
});

test('a reader sees one whole content or the other while a file is replaced', async () => {
  await using directory = await TemporaryDirectory.create();
  const path = directory.file('state.json');
  await writeJsonFile(path, { seq: 0 });
  const writing = (async () => {
    for (let seq = 1; seq <= 50; seq++) await writeJsonFile(path, { seq });
  })();
  let last = 0;
  while (last < 50) {
    const seq = (await readJsonFile(path, schema))?.seq ?? -1;
    expect(seq).toBeGreaterThanOrEqual(last);
    last = seq;
  }
  await writing;
});

test('a JSON file that is not there is undefined', async () => {
  await using directory = await TemporaryDirectory.create();
  expect(await readJsonFile(directory.file('none.json'), schema)).toBeUndefined();
});

test.each(['{"seq":', '{"seq":"x"}', ''])('a JSON file that holds %s is invalid', async (content) => {
  await using directory = await TemporaryDirectory.create();
  const path = directory.file('state.json');
  await writeFile(path, content);
  await expect(readJsonFile(path, schema)).rejects.toMatchObject({ code: 'FILES_INVALID', facts: { path } });
});

test('a JSON file that cannot be read says so', async () => {
  await using directory = await TemporaryDirectory.create();
  await expect(readJsonFile(directory.path, schema)).rejects.toThrow('FILES_UNREADABLE');
});
