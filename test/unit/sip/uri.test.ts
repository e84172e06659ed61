import { describe, expect, test } from 'vitest';
import { formatUri, parseSipUri, parseUri } from '../../../services/sip/message/uri.ts';
import type { Uri } from '../../../services/sip/message/uri.ts';
import { canonicalAor, sameUri } from '../../../services/sip/message/uri-compare.ts';

function uri(text: string): Uri {
  const parsed = parseUri(text);
  if (!parsed) throw new Error(`malformed ${text}`);
  return parsed;
}

describe('parsing a URI', () => {
  test.each([
    ['sip:alice@atlanta.com', { scheme: 'sip', user: 'alice', host: 'atlanta.com' }],
    ['SIPS:alice@atlanta.com', { scheme: 'sips' }],
    ['sip:alice:secretword@atlanta.com;transport=tcp', { user: 'alice', password: 'secretword' }],
    ['sip:alice:@atlanta.com', { user: 'alice', password: '' }],
    ['sip:+1-212-555-1212:1234@gateway.com;user=phone', { user: '+1-212-555-1212', password: '1234' }],
    ['sip:atlanta.com', { user: undefined, host: 'atlanta.com' }],
    ['sip:192.0.2.4:5090', { host: '192.0.2.4', port: 5090 }],
    ['sip:[2001:db8::10]:5070;lr', { host: '[2001:db8::10]', port: 5070 }],
    ['sip:bob@biloxi.com?Subject=x&Priority=urgent', { headers: 'Subject=x&Priority=urgent' }],
    ['sip:*21#@pbx.example.com', { user: '*21#' }],
    ['sip:alice;day=tuesday@atlanta.com', { user: 'alice;day=tuesday' }],
    ['tel:+1-201-555-0123', { scheme: 'tel', number: '+1-201-555-0123' }],
    ['tel:7042;phone-context=example.com', { scheme: 'tel', number: '7042' }],
    ['mailto:alice@example.com', { scheme: 'other', text: 'mailto:alice@example.com' }],
  ])('%s', (text, parts) => {
    expect(parseUri(text)).toMatchObject(parts);
  });

  test.each([
    'alice@atlanta.com',
    'sip:',
    'sip:@atlanta.com',
    'sip:alice@',
    'sip:alice@atlanta.com:',
    'sip:alice@atlanta.com:65536',
    'sip:alice@atlanta.com:5060x',
    'sip:alice@atlanta.com;',
    'sip:alice@atlanta.com;=x',
    'sip:alice@atlanta.com;lr=',
    'sip:al ice@atlanta.com',
    'sip:al%4@atlanta.com',
    'sip:al%zzice@atlanta.com',
    'sip:alice@bob@atlanta.com',
    'sip:alice@[2001:db8::10',
    'sip:alice@[]',
    'sip:alice@atlanta.com?a b',
    'tel:',
    'tel:+',
    'tel:12 34',
    '1x:abc',
    'mailto:',
    'http://<x>',
  ])('%s is malformed', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });

  test('what is written is what was read', () => {
    for (const text of [
      'sip:alice:pw@atlanta.com:5070;transport=tcp;lr?a=b',
      'sips:[2001:db8::1]',
      'tel:+358-555-1234567;postd=pp22',
      'urn:service:sos',
    ]) {
      expect(formatUri(uri(text))).toBe(text);
    }
  });

  test('parameters are found whatever their case and never by what objects inherit', () => {
    const { params } = parseSipUri('sip:a@b;Transport=TCP;__proto__=x;LR') ?? { params: undefined };
    expect(params?.get('transport')).toBe('TCP');
    expect(params?.has('lr')).toBe(true);
    expect(params?.get('lr')).toBeUndefined();
    expect(params?.get('__proto__')).toBe('x');
    expect(params?.has('constructor')).toBe(false);
    expect(params?.without('transport').with('lr', 'on').toString()).toBe(';__proto__=x;lr=on');
  });
});

describe('RFC 3261 section 19.1.4', () => {
  test.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['sip:%2a21%23@pbx', 'sip:*21#@pbx'],
    ['sip:bob@biloxi.com;%75ser=phone', 'sip:bob@biloxi.com;user=Phone'],
    ['tel:+1-201-555-0123', 'tel:+12015550123'],
    ['tel:7042;phone-context=Example.com', 'tel:7042;phone-context=example.com'],
  ])('%s equals %s', (a, b) => {
    expect(sameUri(uri(a), uri(b))).toBe(true);
    expect(sameUri(uri(b), uri(a))).toBe(true);
  });

  test.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=off', 'sip:carol@chicago.com;security=on'],
    ['sip:alice@atlanta.com', 'sips:alice@atlanta.com'],
    ['sip:alice@atlanta.com', 'sip:alice:pw@atlanta.com'],
    ['sip:alice@atlanta.com', 'sip:alice@atlanta.com;maddr=192.0.2.4'],
    ['sip:a%2Cb@atlanta.com', 'sip:a,b@atlanta.com'],
    ['tel:7042', 'tel:7042;phone-context=example.com'],
    ['tel:+12015550123', 'sip:+12015550123@example.com'],
    ['urn:service:sos', 'urn:service:sos.fire'],
  ])('%s differs from %s', (a, b) => {
    expect(sameUri(uri(a), uri(b))).toBe(false);
    expect(sameUri(uri(b), uri(a))).toBe(false);
  });

  test.each([
    ['sips:%61lice@Example.COM:5060;transport=tls?x=y', 'sip:alice@example.com'],
    ['sip:Alice@example.com:5070', 'sip:Alice@example.com:5070'],
    ['sip:a%2cb@example.com', 'sip:a%2Cb@example.com'],
    ['sip:*21#@example.com', 'sip:*21%23@example.com'],
    ['sip:Example.com', 'sip:example.com'],
  ])('the address-of-record of %s is %s', (text, aor) => {
    const parsed = parseSipUri(text);
    expect(parsed && canonicalAor(parsed)).toBe(aor);
  });
});
