import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { YamlDocument } from '../../platform/yaml/document.ts';
import type { YamlPath } from '../../platform/yaml/document.ts';
import { inconsistenciesOf } from './consistency.ts';
import { siteConfigSchema } from './schema.ts';
import type { SiteConfig } from './schema.ts';

/** One thing wrong in site.yaml: where, and what. */
export type ConfigFault = {
  /** `peers[0].link`; empty for the file as a whole. */
  readonly key: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
};

/** A site.yaml that holds. */
export type SiteFile = {
  /** Absolute. */
  readonly path: string;
  readonly config: SiteConfig;
  /** `data_dir`, absolute. */
  readonly dataDir: string;
};

/** What a text holds, or everything that is wrong with it. */
export type Inspection =
  | { readonly document: YamlDocument; readonly config: SiteConfig }
  | { readonly document: YamlDocument; readonly faults: readonly ConfigFault[] };

/** @throws SITE_CONFIG_UNREADABLE; SITE_CONFIG_INVALID with every fault */
export async function readSiteFile(path: string): Promise<SiteFile> {
  const absolute = resolve(path);
  const inspection = inspectSiteConfig(await readSiteText(absolute));
  if ('faults' in inspection) {
    const { faults } = inspection;
    throw new DualhomeError('SITE_CONFIG_INVALID', {
      detail: [absolute, ...faults.map(describeFault)].join('\n  '),
      facts: { path: absolute, faults },
    });
  }
  const { config } = inspection;
  return { path: absolute, config, dataDir: resolve(dirname(absolute), config.data_dir) };
}

/** A path of site.yaml, absolute. */
export function besideConfig({ path }: SiteFile, name: string): string {
  return resolve(dirname(path), name);
}

/** @throws SITE_CONFIG_UNREADABLE */
export async function readSiteText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new DualhomeError('SITE_CONFIG_UNREADABLE', { detail: path, facts: { path }, cause });
  }
}

export function describeFault({ line, column, key, message }: ConfigFault): string {
  return `line ${line}, column ${column}${key === '' ? '' : `, ${key}`}: ${message}`;
}

/** Looks for everything at once: the YAML, each value, and what contradicts itself. */
export function inspectSiteConfig(text: string): Inspection {
  const document = new YamlDocument(text);
  if (document.faults.length > 0) {
    return { document, faults: document.faults.map((fault) => ({ key: '', ...fault })) };
  }
  const locate = ({ path, message }: { readonly path: YamlPath; readonly message: string }): ConfigFault => ({
    key: keyOf(path),
    ...document.locate(path),
    message,
  });
  const parsed = siteConfigSchema.safeParse(document.value ?? {});
  const wrong = parsed.success ? inconsistenciesOf(parsed.data) : parsed.error.issues.flatMap(faultsOf);
  if (!parsed.success || wrong.length > 0) return { document, faults: wrong.map(locate).sort(byPlace) };
  return { document, config: parsed.data };
}

function byPlace(a: ConfigFault, b: ConfigFault): number {
  return a.line - b.line || a.column - b.column;
}

function faultsOf(issue: z.core.$ZodIssue): { readonly path: YamlPath; readonly message: string }[] {
  const path = issue.path as YamlPath;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'There is no such key' }));
  }
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [{ path, message: missing ? 'This key is missing' : issue.message }];
}

/** A path as people write it: `peers[0].link`. */
export function keyOf(path: YamlPath): string {
  return path.reduce<string>((key, step) => {
    if (typeof step === 'number') return `${key}[${step}]`;
    return key === '' ? step : `${key}.${step}`;
  }, '');
}
