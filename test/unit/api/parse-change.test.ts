import { describe, expect, it } from 'vitest';
import { parseChange } from '../../../services/api/change/parse-change.ts';
import { generateSealingKey, Sealer } from '../../../services/platform/crypto/sealing.ts';
import { isDualhomeError } from '../../../services/protocol/errors/index.ts';
import type { ChangeBody } from '../../../services/protocol/rest/changes.ts';

const sealer = new Sealer(generateSealingKey());
const key = 'alice@c1.example';
const ha1 = '0123456789abcdef0123456789abcdef';

const parse = (change: Partial<ChangeBody>) =>
  parseChange(sealer, { op: 'put', kind: 'subscriber', key, row: { home_site: 'c1' }, ...change });

/** Code and paths of the faults that a change is refused with. */
function faults(change: Partial<ChangeBody>): unknown {
  try {
    parse(change);
    return 'accepted';
  } catch (error) {
    if (!isDualhomeError(error)) throw error;
    const errors = (error.facts['errors'] ?? []) as readonly { path: string }[];
    return [error.code, ...errors.map(({ path }) => path)];
  }
}

describe('a change as a caller gives it', () => {
  it('gets its key from the path, its defaults from the kind, and its secrets sealed', () => {
    const { intent } = parse({ row: { home_site: 'c1', ha1_md5: ha1 } });
    expect(intent).toMatchObject({ key, fields: { aor: key, class_of_service: [], display_name: null } });
    const sealed = String(intent.fields['ha1_md5']);
    expect(sealed).not.toContain(ha1);
    expect(sealer.open(sealed, `subscriber/${key}/ha1_md5`).reveal()).toBe(ha1);
  });

  it('gets its key from the row where none is named', () => {
    expect(parse({ key: undefined, row: { aor: key, home_site: 'c1' } }).intent.key).toBe(key);
  });

  it('seals an unchanged secret to the same text', () => {
    const [one, two] = [1, 2].map(
      () => parse({ row: { home_site: 'c1', ha1_md5: ha1 } }).intent.fields['ha1_md5'],
    );
    expect(one).toBe(two);
  });

  it('keeps a secret that is given as its mark', () => {
    const { intent } = parse({ row: { home_site: 'c1', ha1_md5: '[sealed]' } });
    expect(intent.kept).toEqual(['ha1_md5']);
  });

  it.each<[string, Partial<ChangeBody>, unknown]>([
    [
      'every field at fault',
      { row: { area_code: 'x', time_zone: 'Mars', nope: 1 } },
      ['CONFIG_INVALID', '/home_site', '/area_code', '/time_zone', '/nope'],
    ],
    ['a kind that does not exist', { kind: 'planet' }, ['CONFIG_KIND_UNKNOWN']],
    [
      'a key that differs from the row',
      { row: { aor: 'bob@c1.example', home_site: 'c1' } },
      ['CONFIG_INVALID', '/aor'],
    ],
    ['a missing key', { key: undefined }, ['CONFIG_INVALID', '/aor']],
    [
      'a NUL in text',
      { row: { home_site: 'c1', forward_always: 'sip:\0@x' } },
      ['CONFIG_INVALID', '/forward_always'],
    ],
    [
      'half a surrogate pair',
      { row: { home_site: 'c1', display_name: '\ud800' } },
      ['CONFIG_INVALID', '/display_name'],
    ],
    ['a NUL in the key of a deletion', { op: 'delete', key: 'a\0b' }, ['CONFIG_INVALID', '/aor']],
    [
      'a field of a merge',
      { op: 'merge', row: { area_code: 'x', nope: 1 } },
      ['CONFIG_INVALID', '/area_code', '/nope'],
    ],
    [
      'the name of a built-in property',
      { op: 'merge', row: { constructor: 1 } },
      ['CONFIG_INVALID', '/constructor'],
    ],
  ])('is refused with %s', (_name, change, expected) => {
    expect(faults(change)).toEqual(expected);
  });

  it('takes only the fields given into a merge', () => {
    const { intent } = parse({ op: 'merge', row: { display_name: null } });
    expect(intent.fields).toEqual({ aor: key, display_name: null });
  });
});
