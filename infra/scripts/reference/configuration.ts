import { configKeys } from '../../../services/site/config/describe.ts';
import type { ConfigKey } from '../../../services/site/config/describe.ts';
import { siteTemplate } from '../../../services/site/config/template.ts';
import { markdownTable } from './markdown.ts';

/** Every key of site.yaml, and the file as `site init` writes it. */
export function configurationReference(): string {
  const rows = configKeys.flatMap((key) => rowsOf(key, ''));
  const example = siteTemplate({
    site: 'c1',
    publicHost: 'c1.example.net',
    listenHost: '0.0.0.0',
    firstPort: 7_400,
  });
  return [
    '# site.yaml',
    'One file describes one site. `dualhome site init` writes it, `dualhome site check` reports everything that is wrong with it, by line and key. A running site takes up changes by itself.',
    markdownTable(['key', 'meaning', 'default'], rows),
    '## As `site init` writes it',
    `\`\`\`yaml\n${example}\`\`\``,
  ].join('\n\n');
}

function rowsOf({ name, description, keys, list, required, fallback }: ConfigKey, above: string): string[][] {
  const key = `${above}${name}`;
  const fallbackText = required ? 'required' : fallback === undefined ? '' : `\`${fallback}\``;
  const below = keys.flatMap((inner) => rowsOf(inner, `${key}${list ? '[]' : ''}.`));
  return [[`\`${key}\``, description, fallbackText], ...below];
}
