import { describe, expect, it } from 'vitest';
import { csvDecoder, ndjsonDecoder } from '../../../services/api/import/decoder.ts';
import { subscriberOfKamailio } from '../../../services/api/import/kamailio.ts';
import { cellText, cellValue } from '../../../services/api/import/csv-values.ts';
import { route } from '../../../services/model/route.ts';
import { subscriber } from '../../../services/model/subscriber.ts';

const csv = (header: string, lines: readonly string[], kamailio = false) =>
  csvDecoder(header, { kind: subscriber, kamailio, merging: false })(
    lines.map((text, i) => ({ number: i + 2, text })),
  );

describe('lines of an import', () => {
  it('are read as CSV, quoted or not, with a byte order mark before the header', () => {
    expect(csv('\u{FEFF}aor, display_name', ['a@x,Ada', '"b@x","Bo, ""B"""', 'c@x,'])).toEqual([
      { values: { aor: 'a@x', display_name: 'Ada' } },
      { values: { aor: 'b@x', display_name: 'Bo, "B"' } },
      { values: { aor: 'c@x' } },
    ]);
  });

  it('that are no record are told apart from their neighbours', () => {
    const [first, second, third, fourth] = csv('aor,display_name', ['a@x,"A', 'b@x', 'c@x,"C"', 'd@x,D,E']);
    expect(first).toMatchObject({ fault: expect.stringMatching(/quote/i) });
    expect(second).toEqual({ fault: '1 fields, but the header names 2' });
    expect(third).toEqual({ values: { aor: 'c@x', display_name: 'C' } });
    expect(fourth).toEqual({ fault: '3 fields, but the header names 2' });
  });

  it('are not read when the header names no such field, one twice, or no key', () => {
    const faults = [
      'there is no field "nope"',
      '"display_name" stands there twice',
      'the column "aor" is missing',
    ];
    const errors = faults.map((message) => ({ where: 'line 1', path: '', message }));
    expect(() => csv('nope,display_name,display_name', [])).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', facts: { errors } }),
    );
  });

  it('are read as JSON objects', () => {
    const decoded = ndjsonDecoder(
      ['{"a":1}', '[1]', 'null', '{'].map((text, i) => ({ number: i + 1, text })),
    );
    expect(decoded).toEqual([
      { values: { a: 1 } },
      { fault: 'not a JSON object' },
      { fault: 'not a JSON object' },
      { fault: 'not JSON' },
    ]);
  });

  it('hold lists, numbers and truths as text, and back', () => {
    expect(cellValue(route, 'next_hops', 'sip:a sip:b', false)).toEqual(['sip:a', 'sip:b']);
    expect(cellText(['sip:a', 'sip:b'])).toBe('sip:a sip:b');
    expect(cellValue(route, 'transit', 'T', false)).toBe(true);
    expect(cellValue(route, 'transit', 'maybe', false)).toBe('maybe');
    expect(cellValue(subscriber, 'forward_no_answer_seconds', '20', false)).toBe(20);
    expect(cellValue(subscriber, 'forward_no_answer_seconds', '2x', false)).toBe('2x');
    expect(cellValue(subscriber, 'display_name', '', false)).toBeUndefined();
    expect(cellValue(subscriber, 'display_name', '', true)).toBeNull();
    expect(cellText(null)).toBe('');
  });

  it("of Kamailio's subscriber table become subscribers of this site", () => {
    const [row] = csv(
      'id,username,domain,password,ha1',
      ['1,alice,C1.Example,,0123456789ABCDEF0123456789ABCDEF'],
      true,
    );
    if (!row || !('values' in row)) throw new Error('not read');
    expect(subscriberOfKamailio('c1', row.values)).toEqual({
      aor: 'alice@c1.example',
      home_site: 'c1',
      ha1_md5: '0123456789abcdef0123456789abcdef',
    });
    expect(subscriberOfKamailio('c1', { ...row.values, ha1: 'a'.repeat(64) })).toMatchObject({
      ha1_sha256: 'a'.repeat(64),
    });
  });
});
