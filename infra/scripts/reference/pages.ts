import { join } from 'node:path';
import { apiReference } from './api.ts';
import { cliReference } from './cli.ts';
import { configurationReference } from './configuration.ts';
import { errorReference } from './errors.ts';
import { metricsReference } from './metrics.ts';

/** A page of infra/reference, made from the code. */
export type ReferencePage = { readonly path: string; readonly text: string };

const directory = join(import.meta.dirname, '..', '..', 'reference');
const note = '<!-- Made by `npm run docs`; change the code it is made from. -->';

/** Every generated page as it should stand. */
export async function referencePages(): Promise<readonly ReferencePage[]> {
  const page = (name: string, text: string): ReferencePage => ({
    path: join(directory, name),
    text: `${note}\n\n${text.trimEnd()}\n`,
  });
  return [
    page('api.md', await apiReference()),
    page('cli.md', cliReference()),
    page('configuration.md', configurationReference()),
    page('errors.md', errorReference()),
    page('metrics.md', metricsReference()),
  ];
}
