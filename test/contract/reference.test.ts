import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { referencePages } from '../../infra/scripts/reference/pages.ts';

const pages = (await referencePages()).map((page) => [basename(page.path), page] as const);

describe('the reference', () => {
  it.each(pages)('%s says what the code does; `npm run docs` writes it', async (_name, { path, text }) => {
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});
