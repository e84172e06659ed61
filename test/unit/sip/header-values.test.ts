import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../services/sip/message/address.ts';
import {
  formatSipDate,
  parseCSeq,
  parseExpirySeconds,
  parseRetryAfterSeconds,
  parseSipDate,
} from '../../../services/sip/message/fields.ts';
import { firstOfList, splitList } from '../../../services/sip/message/list.ts';
import { reasonPhrase } from '../../../services/sip/message/status.ts';
import {
  decodeText,
  detached,
  encodeText,
  headerSafe,
  parseNumber,
  quoted,
  unquoted,
} from '../../../services/sip/message/text.ts';
import { formatVia, parseVia } from '../../../services/sip/message/via.ts';

describe('addresses', () => {
  test.each([
    [
      '"A. G. Bell" <sip:agb@bell-telephone.com> ;tag=a48s',
      '"A. G. Bell"',
      'sip:agb@bell-telephone.com',
      ';tag=a48s',
    ],
    [
      'sip:+12125551212@server.phone2net.com;tag=887s',
      undefined,
      'sip:+12125551212@server.phone2net.com',
      ';tag=887s',
    ],
    [
      'Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8',
      'Anonymous',
      'sip:c8oqz84zk7z@privacy.org',
      ';tag=hyh8',
    ],
    ['"quote \\" , <b>" <sip:a@b;x=1>;q=0.7', '"quote \\" , <b>"', 'sip:a@b;x=1', ';q=0.7'],
    [
      '<sip:a@b>;+sip.instance="<urn:uuid:1>";reg-id=1',
      undefined,
      'sip:a@b',
      ';+sip.instance="<urn:uuid:1>";reg-id=1',
    ],
    ['J\xc3\xbcrg M <sip:a@b>', 'J\xc3\xbcrg M', 'sip:a@b', ''],
    ['<tel:+1-201-555-0123>', undefined, 'tel:+1-201-555-0123', ''],
  ])('%s', (text, displayName, uriText, params) => {
    const address = parseAddress(text);
    expect(address).toMatchObject({ displayName, uriText });
    expect(address?.params.toString()).toBe(params);
  });

  test.each([
    '',
    '<sip:a@b',
    '<>',
    '"open <sip:a@b>',
    'a, b <sip:a@b>',
    '< sip:a@b>',
    '<sip:a@b> x',
    '<sip:a@b>;',
    '<sip:a@b>;tag=',
    '<sip:a@b>;tag="open',
    'sip:a@b?Subject=x',
    'sip:a@b,c',
    '"name" sip:a@b',
    'alice@example.com',
  ])('%s is malformed', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('an address is written with brackets', () => {
    const address = parseAddress('sip:a@b;tag=1');
    if (!address) throw new Error('malformed');
    expect(formatAddress(address)).toBe('<sip:a@b>;tag=1');
    expect(formatAddress({ ...address, displayName: quoted('A "B"') })).toBe('"A \\"B\\"" <sip:a@b>;tag=1');
  });
});

describe('lists', () => {
  test('commas in quotes and brackets do not separate', () => {
    const text = '"a, \\", b" <sip:a,b@c> , <sip:d@e>;x="f,g",h';
    expect(splitList(text)).toEqual(['"a, \\", b" <sip:a,b@c>', '<sip:d@e>;x="f,g"', 'h']);
    expect(firstOfList(text)).toBe('"a, \\", b" <sip:a,b@c>');
  });

  test('an empty value is kept, so that it is found malformed', () => {
    expect(splitList('a,,b,')).toEqual(['a', '', 'b', '']);
  });

  test('an open quote or bracket goes to the end', () => {
    expect(splitList('a,"b,c')).toEqual(['a', '"b,c']);
    expect(splitList('a,<b,c')).toEqual(['a', '<b,c']);
  });
});

describe('Via', () => {
  test.each([
    [
      'SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776',
      { transport: 'UDP', host: 'pc33.atlanta.com', port: undefined },
    ],
    [
      'SIP / 2.0 / tcp first.example.com: 4000;ttl=16',
      { transport: 'TCP', host: 'first.example.com', port: 4000 },
    ],
    ['SIP/2.0/TLS [2001:db8::9]:5061 ; rport', { transport: 'TLS', host: '[2001:db8::9]', port: 5061 }],
    ['SIP/2.0/UDP host : 5060', { host: 'host', port: 5060 }],
    ['SIP/2.0/UDP h;received=2001:db8::1', { host: 'h' }],
  ])('%s', (text, parts) => {
    expect(parseVia(text)).toMatchObject(parts);
  });

  test.each([
    '',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/2.0 host',
    'SIP/2.0/UDPhost',
    'SIP/2.0/UDP h:x',
    'SIP/2.0/UDP h;;',
    '/2.0/UDP h',
    'SIP//UDP h',
  ])('%s is malformed', (text) => {
    expect(parseVia(text)).toBeUndefined();
  });

  test('is written as it is meant', () => {
    const via = parseVia('SIP / 2.0 / UDP  h : 5070 ; branch = z9hG4bKx ; rport');
    expect(via && formatVia(via)).toBe('SIP/2.0/UDP h:5070;branch=z9hG4bKx;rport');
  });
});

describe('numbers, dates, texts', () => {
  test('CSeq', () => {
    expect(parseCSeq('4294967295 INVITE')).toEqual({ number: 0xffff_ffff, method: 'INVITE' });
    expect(parseCSeq('007\tBYE')).toEqual({ number: 7, method: 'BYE' });
    const malformed = ['4294967296 INVITE', 'INVITE', '1', '1INVITE', '-1 INVITE', '1 IN VITE', '1 <x>', ''];
    expect(malformed.filter((text) => parseCSeq(text))).toEqual([]);
  });

  test('a date is in GMT', () => {
    expect(parseSipDate('Sat, 13 Nov 2010 23:29:00 GMT')).toBe(Date.UTC(2010, 10, 13, 23, 29, 0));
    expect(formatSipDate(Date.UTC(2010, 10, 13, 23, 29, 0))).toBe('Sat, 13 Nov 2010 23:29:00 GMT');
    const malformed = ['Sat, 13 Nov 2010 23:29:00 EST', 'Sat, 13 Nov 2010 25:29:00 GMT', '13 Nov 2010'];
    expect(malformed.filter((text) => parseSipDate(text))).toEqual([]);
  });

  test('expiries and Retry-After', () => {
    expect(parseExpirySeconds(' 3600 ')).toBe(3600);
    expect(parseExpirySeconds('4294967296')).toBeUndefined();
    expect(parseExpirySeconds(undefined)).toBeUndefined();
    expect(parseRetryAfterSeconds('18000;duration=3600')).toBe(18_000);
    expect(parseRetryAfterSeconds("120 (I'm in a meeting)")).toBe(120);
    expect(parseRetryAfterSeconds('soon')).toBeUndefined();
    expect(parseNumber('', 9)).toBeUndefined();
    expect(parseNumber('0010', 10)).toBe(10);
  });

  test('quoting and its undoing', () => {
    expect(quoted('a "b" \\c')).toBe('"a \\"b\\" \\\\c"');
    expect(unquoted(quoted('a "b" \\c'))).toBe('a "b" \\c');
    expect(unquoted('plain')).toBe('plain');
  });

  test('byte strings and Unicode', () => {
    expect(encodeText('Jürg')).toBe('J\xc3\xbcrg');
    expect(decodeText(encodeText('Jürg 東'))).toBe('Jürg 東');
    expect(detached('J\xc3\xbcrg'.slice(1))).toBe('\xc3\xbcrg');
  });

  test('a value that would begin another header field is a defect', () => {
    expect(() => headerSafe('a\r\nContact: <sip:evil@example.com>')).toThrow(TypeError);
    expect(() => headerSafe('東')).toThrow(TypeError);
    expect(headerSafe('a\0b')).toBe('a\0b');
  });

  test('reason phrases fall back to their class', () => {
    expect([reasonPhrase(404), reasonPhrase(499), reasonPhrase(999)]).toEqual([
      'Not Found',
      'Bad Request',
      'Unknown',
    ]);
  });
});
