import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const programs = ['front', 'processor', 'synchronizer', 'api'];

/** What each folder of services may import beside itself. Programs never import each other; `site` and `cli` start them by path. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  model: ['protocol'],
  platform: ['protocol/errors'],
  sip: ['protocol', 'platform/collections'],
  log: ['protocol', 'model', 'platform'],
  front: ['protocol', 'model', 'log', 'sip', 'platform'],
  processor: ['protocol', 'model', 'log', 'sip', 'platform'],
  synchronizer: ['protocol', 'model', 'log', 'platform'],
  api: ['protocol', 'model', 'log', 'platform'],
  simulator: ['protocol', 'model', 'sip', 'platform'],
  site: ['protocol', 'model', 'log', 'platform'],
  cli: ['protocol', 'model', 'log', 'sip', 'platform', 'site', 'simulator'],
};

/** Packages that only an adapter in `platform` may name. */
const drivers =
  /^(pg|pg-copy-streams|knex|basic-ftp|ftp-srv|fastify|fastify-type-provider-zod|@fastify\/.*|pino|prom-client|@peculiar\/x509|kafkajs|yaml|csv-parse.*)$/;

const files = globSync('services/*/**/*.ts', { cwd: root }).sort();
const imports = files.flatMap((file) =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(
      /^\s*(?:import|export)\b[^'"]*?\bfrom '([^']+)';|^\s*import '([^']+)';/gm,
    ),
  ].map((match) => ({ file, target: match[1] ?? match[2] ?? '' })),
);

/** `services/log/read.ts` -> `log`. */
const folderOf = (file: string): string => file.split('/')[1] ?? '';

describe('the architecture', () => {
  it('is read from the files that are there', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(100);
  });

  it('lets a folder import only what lies beneath it', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!target.startsWith('.')) return false;
      const imported = normalize(join(dirname(file), target));
      if (!imported.startsWith('services/')) return true;
      const from = folderOf(file);
      if (folderOf(imported) === from) return false;
      return !(mayImport[from] ?? []).some((allowed) => imported.startsWith(`services/${allowed}/`));
    });
    expect(
      wrong.filter(({ file, target }) => !(folderOf(file) === 'site' && target.includes('/migrations/'))),
    ).toEqual([]);
  });

  it('names drivers only in platform', () => {
    const wrong = imports.filter(({ file, target }) => drivers.test(target) && folderOf(file) !== 'platform');
    expect(wrong).toEqual([]);
  });

  it('keeps SQL of a program in its store', () => {
    const wrong = files.filter(
      (file) =>
        programs.includes(folderOf(file)) &&
        !file.includes('/store/') &&
        /\b(select .+ from|insert into|update \w+ set|delete from)\b/.test(
          readFileSync(join(root, file), 'utf8'),
        ),
    );
    expect(wrong).toEqual([]);
  });
});
