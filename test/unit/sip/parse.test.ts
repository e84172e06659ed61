import { describe, expect, test } from 'vitest';
import { canonicalName, usualSpelling } from '../../../services/sip/message/header-name.ts';
import { defaultLimits } from '../../../services/sip/message/limits.ts';
import { parseDatagram } from '../../../services/sip/message/parse.ts';
import { discardReasonOf, extensionFault, refusalOf } from '../../../services/sip/message/validate.ts';
import { aRequest, asRequest, messageBytes, responseTo } from '../../support/sip-messages.ts';

const lines = [
  'OPTIONS sip:bob@example.com SIP/2.0',
  'v: SIP/2.0/UDP h1;branch=z9hG4bK1, SIP/2.0/UDP h2;branch=z9hG4bK2',
  'Via:SIP/2.0/UDP h3',
  'f: <sip:a@b>;tag=1',
  't: <sip:c@d>',
  'I: abc',
  'CSEQ: 1 OPTIONS',
];

function reasonFor(...more: string[]): string | undefined {
  return refusalOf(asRequest(messageBytes([...lines, ...more])))?.reason;
}

describe('header fields', () => {
  test('are found by their long name in any case, by their compact form, over all lines', () => {
    const request = asRequest(messageBytes(lines));
    expect(refusalOf(request)).toBeUndefined();
    expect(request.values('via')).toHaveLength(3);
    expect(request.top('via')).toBe('SIP/2.0/UDP h1;branch=z9hG4bK1');
    expect(request.callId).toBe('abc');
    expect(request.has('contact')).toBe(false);
    expect(request.lines('contact')).toEqual([]);
  });

  test.each([
    ['v', 'via'],
    ['M', 'contact'],
    ['CALL-id', 'call-id'],
    ['X-Own', 'x-own'],
    ['q', 'q'],
    ['__proto__', '__proto__'],
    ['Vix', 'vix'],
  ])('%s is %s', (name, canonical) => {
    expect(canonicalName(name)).toBe(canonical);
  });

  test('are written in their usual spelling', () => {
    expect(['cseq', 'www-authenticate', 'x-own'].map(usualSpelling)).toEqual([
      'CSeq',
      'WWW-Authenticate',
      'x-own',
    ]);
  });

  test('named like properties of objects are header fields like others', () => {
    const request = asRequest(messageBytes([...lines, '__proto__: x', 'constructor: y', 'toString: z']));
    expect(refusalOf(request)).toBeUndefined();
    expect(request.value('__proto__')).toBe('x');
    expect(request.value('constructor')).toBe('y');
    expect(({} as { x?: unknown }).x).toBeUndefined();
    expect(Object.getPrototypeOf(request.head)).toBe(Object.prototype);
  });

  test('may be folded over lines', () => {
    const request = asRequest(messageBytes([...lines, 'Subject: a', ' b', '\t c  ', 'X-Own:', ' y']));
    expect(request.value('subject')).toBe('a b c');
    expect(request.value('x-own')).toBe('y');
  });

  test.each([
    ['a line without a colon', 'Foobar roobar'],
    ['a line without a name', ': value'],
    ['a name with a space in it', 'Foo bar: x'],
    ['a bare line feed, which the next hop may take for a line break', 'Subject: a\nRoute: <sip:evil>'],
    ['a bare carriage return', 'Subject: a\rRoute: <sip:evil>'],
    ['a bare carriage return before a name', '\rRoute: <sip:evil>'],
  ])('%s is refused', (_, line) => {
    expect(reasonFor(line)).toBe('Malformed Header Field');
  });

  test('of which one is wrong are still read, so that the request can be answered', () => {
    expect(asRequest(messageBytes([...lines, 'oops', 'Subject: x'])).value('subject')).toBe('x');
  });
});

describe('what is refused', () => {
  test.each([
    ['Route: <sip:a@b', 'Malformed Route'],
    ['Route: <http://example.com>', 'Malformed Route'],
    ['Contact: ,<sip:a@b>', 'Malformed Contact'],
    ['Max-Forwards: 256', 'Malformed Max-Forwards'],
    ['Max-Forwards: x', 'Malformed Max-Forwards'],
    ['To: <sip:e@f>', 'More Than One To'],
    ['Via: nonsense', 'Malformed Via'],
    ['Content-Length: 1x', 'Malformed Content-Length'],
    ['Date: today', 'Malformed Date'],
  ])('%s', (line, reason) => {
    expect(reasonFor(line)).toBe(reason);
  });

  test.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('a request without %s', (name) => {
    const without = messageBytes(
      [
        'OPTIONS sip:b@example.com SIP/2.0',
        'Via: SIP/2.0/UDP h',
        'From: <sip:a@b>',
        'To: <sip:c@d>',
        'Call-ID: x',
        'CSeq: 1 OPTIONS',
      ].filter((line) => !line.startsWith(`${name}:`)),
    );
    expect(refusalOf(asRequest(without))?.reason).toBe(`No ${name}`);
  });

  test('a Call-ID with a space in it', () => {
    const bytes = messageBytes(lines.map((line) => line.replace('I: abc', 'I: a bc')));
    expect(refusalOf(asRequest(bytes))?.reason).toBe('Malformed Call-ID');
  });

  test.each([
    ['OPTIONS sip:b@example.com SIP/2.1', 505],
    ['OPTIONS sip:b@example.com sip/2.0', undefined],
    ['OPTIONS sip:b@example.com HTTP/1.1', 400],
    ['OPTIONS sip:b@example.com', 400],
    ['OPTIONS  SIP/2.0', 400],
    ['OPTIONS sip:b@exa mple.com SIP/2.0', 400],
    ['OPTIONS tel:+123 SIP/2.0', undefined],
    ['OPTIONS http://example.com SIP/2.0', 416],
  ])('%s: %s', (startLine, status) => {
    expect(refusalOf(asRequest(messageBytes([startLine, ...lines.slice(1)])))?.status).toBe(status);
  });

  test('an unknown extension, but not in an ACK or CANCEL', () => {
    const requiring = (method: string) => aRequest(method, { fields: { Require: 'foo' } });
    expect(extensionFault(requiring('OPTIONS'), 'require', [])?.status).toBe(420);
    expect(extensionFault(requiring('ACK'), 'require', [])).toBeUndefined();
    expect(extensionFault(requiring('CANCEL'), 'require', [])).toBeUndefined();
  });

  test('Contact: * is well-formed', () => {
    expect(reasonFor('Contact: *')).toBeUndefined();
  });

  test('a head without its empty line', () => {
    const bytes = Buffer.from(lines.join('\r\n') + '\r\n');
    expect(refusalOf(asRequest(bytes))?.reason).toBe('No Empty Line Behind Header Fields');
  });

  test('a response whose version is another is no SIP message', () => {
    expect(parseDatagram(messageBytes(['SIP/3.0 200 OK', ...lines.slice(1)])).kind).toBe('rubbish');
  });

  test.each(['\n', '\r'])('a response with a bare %j in its reason phrase is no SIP message', (lineBreak) => {
    const bytes = messageBytes([`SIP/2.0 200 OK${lineBreak}Via: SIP/2.0/UDP evil`, ...lines.slice(1)]);
    expect(parseDatagram(bytes).kind).toBe('rubbish');
  });

  test('a response with a status outside 100 to 699 is discarded', () => {
    const response = responseTo(aRequest('OPTIONS'), 200);
    expect(discardReasonOf(response)).toBeUndefined();
    const reasons = ['99', '700', '0200000'].map((status) => {
      const message = parseDatagram(Buffer.from(response.toBuffer().toString().replace('200', status)));
      return message.kind === 'response' ? discardReasonOf(message) : message.kind;
    });
    expect(new Set(reasons)).toEqual(new Set(['Malformed Status-Line']));
  });
});

describe('limits', () => {
  const limits = { ...defaultLimits, headBytesMax: 400, headerFieldsMax: 10, messageBytesMax: 600 };
  const refusalWithin = (bytes: Buffer) => {
    const message = parseDatagram(bytes, limits);
    return message.kind === 'request' ? refusalOf(message)?.status : message.kind;
  };

  test('a message within them is read', () => {
    expect(refusalWithin(messageBytes(lines))).toBeUndefined();
  });

  test.each([
    ['bytes of the head', messageBytes([...lines, `Subject: ${'x'.repeat(400)}`])],
    ['header fields', messageBytes([...lines, 'a: 1', 'b: 2', 'c: 3', 'd: 4', 'e: 5'])],
    ['bytes of the message', messageBytes(lines, 'x'.repeat(600))],
  ])('too many %s are a 513', (_, bytes) => {
    expect(refusalWithin(bytes)).toBe(513);
  });
});

describe('datagrams', () => {
  test('line breaks before a message are skipped, line breaks alone are a keep-alive', () => {
    expect(parseDatagram(Buffer.concat([Buffer.from('\r\n\r\n'), messageBytes(lines)])).kind).toBe('request');
    expect(parseDatagram(Buffer.from('\r\n\r\n'))).toEqual({ kind: 'keep-alive' });
    expect(parseDatagram(Buffer.alloc(0))).toEqual({ kind: 'keep-alive' });
  });

  test.each(['\0\0\0\0', 'jaK', 'SIP/2.0', ' INVITE x', 'SIP/2.0 abc'])('%j is rubbish', (text) => {
    expect(parseDatagram(Buffer.from(text)).kind).toBe('rubbish');
  });

  test('the body is what Content-Length says, or the rest', () => {
    const body = (length: string[]) =>
      asRequest(messageBytes([...lines, ...length], 'abcdef')).body.toString();
    expect(body(['l: 3'])).toBe('abc');
    expect(body([])).toBe('abcdef');
  });
});
