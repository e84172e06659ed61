import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../services/sip/message/address.ts';
import { parseDatagram } from '../../../services/sip/message/parse.ts';
import { buildRefusal, isAnswerable } from '../../../services/sip/message/response.ts';
import { decodeText, unquoted } from '../../../services/sip/message/text.ts';
import { parseSipUri } from '../../../services/sip/message/uri.ts';
import { sameUri } from '../../../services/sip/message/uri-compare.ts';
import { discardReasonOf, extensionFault, refusalOf } from '../../../services/sip/message/validate.ts';
import { hasLooped } from '../../../services/sip/proxy/branch.ts';
import { forwardingFault } from '../../../services/sip/proxy/admit.ts';
import { serverKey } from '../../../services/sip/transaction/key.ts';
import { credentialsOf } from '../../../services/sip/auth/credentials.ts';
import { asRequest, asResponse, corpus, torture } from '../../support/sip-messages.ts';

const proxy = { isOwnVia: () => false, extensions: [] };

describe('RFC 4475 section 3.1.1, valid messages', () => {
  const valid = 'wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01'.split(
    ' ',
  );

  test.each(valid)('%s is accepted', (name) => {
    expect(refusalOf(asRequest(torture(name)))).toBeUndefined();
  });

  test.each(['unreason', 'noreason'])('%s is accepted', (name) => {
    expect(discardReasonOf(asResponse(torture(name)))).toBeUndefined();
  });

  test('wsinv: folds, spaces and compact forms are read through', () => {
    const request = asRequest(torture('wsinv'));
    expect(request.to?.params.get('tag')).toBe('1918181833n');
    expect(unquoted(request.from?.displayName ?? '')).toBe('J Rosenberg \\"');
    expect(request.maxForwards).toBe(68);
    expect(request.cseq).toEqual({ number: 9, method: 'INVITE' });
    expect(request.values('via')).toHaveLength(3);
    expect(request.via).toMatchObject({ transport: 'UDP', host: '192.0.2.2' });
    expect(request.value('subject')).toBe('');
    expect(request.value('newfangledheader')).toBe('newfangled value continued newfangled value');
    const [contact] = request.addresses('contact') ?? [];
    expect(contact?.params.get('newparam')).toBe('newvalue');
    expect(contact?.params.get('q')).toBe('0.33');
    expect(contact?.params.has('secondparam')).toBe(true);
    expect(request.head.contentLength).toBe(150);
  });

  test('intmeth: every unusual character is kept', () => {
    const request = asRequest(torture('intmeth'));
    expect(request.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(request.uri).toMatchObject({
      user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
      password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
      host: 'example.com',
    });
    expect(request.maxForwards).toBe(255);
    expect(request.callId).toBe('intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{');
    expect(decodeText(request.from?.params.get("fromparam''~+*_!.-%") ?? '')).toBe('работающий');
    expect(request.from?.params.get('tag')).toBe("_token~1'+`*%!-.");
  });

  test('esc01: escapes stay where they mean something and are equal to what they stand for', () => {
    const request = asRequest(torture('esc01'));
    expect(request.uri).toMatchObject({ user: 'sips%3Auser%40example.com', host: 'example.net' });
    const [contact] = request.addresses('contact') ?? [];
    const plain = parseSipUri('sip:caller@host5.example.net;lr;name=value%25%34%31');
    if (!contact || !plain || !request.to) throw new Error('unparsed');
    expect(sameUri(contact.uri, plain)).toBe(true);
    expect(sameUri(request.to.uri, parseSipUri('sip:user@example.com') ?? plain)).toBe(true);
  });

  test('escnull: an escaped NUL is a character like others', () => {
    expect(
      asRequest(torture('escnull'))
        .addresses('contact')
        ?.map(({ uriText }) => uriText),
    ).toEqual(['sip:%00@host5.example.com', 'sip:%00%00@host5.example.com']);
  });

  test('esc02: what looks like an escape in a method, header name or display name is none', () => {
    const request = asRequest(torture('esc02'));
    expect(request.method).toBe('RE%47IST%45R');
    expect(request.from?.displayName).toBe('"%Z%45"');
    expect(request.values('contact')).toHaveLength(2);
    expect(request.value('c%6fntact')).toBe('<sip:alias2@host2.example.com>');
  });

  test('lwsdisp: a display name needs no space before the bracket', () => {
    expect(asRequest(torture('lwsdisp')).from?.displayName).toBe('caller');
  });

  test('longreq: 34 Via values and long tokens are within the limits', () => {
    expect(asRequest(torture('longreq')).values('via')).toHaveLength(34);
  });

  test("dblreq: bytes behind Content-Length are not part of a datagram's request", () => {
    const request = asRequest(torture('dblreq'));
    expect(request.method).toBe('REGISTER');
    expect(request.body).toHaveLength(0);
    expect(request.toBuffer().toString()).not.toContain('INVITE');
  });

  test('semiuri: a semicolon before the @ belongs to the user', () => {
    const { uri } = asRequest(torture('semiuri'));
    expect(uri).toMatchObject({ user: 'user;par=u%40example.net', host: 'example.com' });
  });

  test('transports: unknown transports are read', () => {
    const vias = asRequest(torture('transports')).values('via');
    expect(vias.map((via) => via.split(/[ /]/)[2])).toEqual(['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP']);
  });

  test('mpart01: a binary body comes through byte for byte', () => {
    const bytes = torture('mpart01');
    expect(asRequest(bytes).toBuffer().equals(bytes)).toBe(true);
  });

  test('unreason: the reason phrase is UTF-8', () => {
    expect(decodeText(asResponse(torture('unreason')).reason)).toBe(
      '= 2**3 * 5**2 но сто девяносто девять - простое',
    );
  });

  test('noreason: the reason phrase may be empty', () => {
    expect(asResponse(torture('noreason'))).toMatchObject({ status: 100, reason: '' });
  });
});

describe('RFC 4475 section 3.1.2, invalid messages', () => {
  const refused: readonly [string, number, string][] = [
    ['badinv01', 400, 'Malformed Via'],
    ['clerr', 400, 'Body Shorter Than Content-Length'],
    ['ncl', 400, 'Malformed Content-Length'],
    ['scalar02', 400, 'Malformed CSeq'],
    ['quotbal', 400, 'Malformed To'],
    ['ltgtruri', 400, 'Malformed Request-URI'],
    ['lwsruri', 400, 'Malformed Request-Line'],
    ['lwsstart', 400, 'Malformed Request-Line'],
    ['trws', 400, 'Malformed Request-Line'],
    ['escruri', 400, 'Header In Request-URI'],
    ['baddate', 400, 'Malformed Date'],
    ['regbadct', 400, 'Malformed Contact'],
    ['badaspec', 400, 'Malformed To'],
    ['badvers', 505, 'Version Not Supported'],
    ['mismatch01', 400, 'CSeq Method Is Another'],
    ['mismatch02', 400, 'CSeq Method Is Another'],
  ];

  test.each(refused)('%s is refused with %i %s', (name, status, reason) => {
    const request = asRequest(torture(name));
    const refusal = refusalOf(request);
    expect(refusal).toMatchObject({ status, reason });
    if (!refusal || !isAnswerable(request)) throw new Error('not answerable');
    const answer = asResponse(buildRefusal(request, refusal, { toTag: 'x' }));
    expect(answer).toMatchObject({ status, reason });
    expect(answer.value('via')).toBe(request.value('via'));
    expect(answer.value('call-id')).toBe(request.value('call-id'));
  });

  test('baddn is refused for its display name', () => {
    const complete = Buffer.concat([torture('baddn'), torture('baddn_sep')]);
    expect(refusalOf(asRequest(complete))).toMatchObject({ status: 400, reason: 'Malformed From' });
  });

  test.each([
    ['scalarlg', 'Malformed CSeq'],
    ['bigcode', 'Malformed Status-Line'],
  ])('response %s is discarded: %s', (name, reason) => {
    expect(discardReasonOf(asResponse(torture(name)))).toBe(reason);
  });

  test('scalarlg would be discarded for its Retry-After alone', () => {
    const text = torture('scalarlg').toString().replace('9292394834772304023312', '929239483');
    expect(discardReasonOf(asResponse(Buffer.from(text)))).toBe('Malformed Retry-After');
  });
});

describe('RFC 4475 sections 3.2 to 3.4', () => {
  test('badbranch: a bare magic cookie identifies no transaction, the rules of RFC 2543 do', () => {
    const request = asRequest(torture('badbranch'));
    expect(refusalOf(request)).toBeUndefined();
    expect(serverKey(request)).toContain(request.callId);
  });

  test('insuf: a request without mandatory fields is refused', () => {
    expect(refusalOf(asRequest(torture('insuf')))).toMatchObject({ status: 400, reason: 'No From' });
  });

  test.each(['unkscm', 'novelsc'])('%s: an unknown Request-URI scheme is a 416', (name) => {
    expect(refusalOf(asRequest(torture(name)))).toMatchObject({ status: 416 });
  });

  test('unksm2: other schemes in To, From and Contact are well-formed', () => {
    const request = asRequest(torture('unksm2'));
    expect(refusalOf(request)).toBeUndefined();
    expect(request.to?.uri.scheme).toBe('other');
  });

  test('bext01: unknown extensions are named in a 420', () => {
    const request = asRequest(torture('bext01'));
    expect(forwardingFault(request, proxy)).toEqual({
      status: 420,
      reason: 'Bad Extension',
      headers: [['Unsupported', 'noProxiesSupportThis, norDoAnyProxiesSupportThis']],
    });
    expect(extensionFault(request, 'require', ['nothingsupportsthis'])?.headers).toEqual([
      ['Unsupported', 'nothingSupportsThisEither'],
    ]);
  });

  test('regaut01: an unknown authentication scheme counts as no credentials', () => {
    const request = asRequest(torture('regaut01'));
    expect(refusalOf(request)).toBeUndefined();
    expect(credentialsOf(request, 'authorization', 'example.com')).toBeUndefined();
  });

  test('multi01 and mcl01: fields that may appear once are refused when they appear twice', () => {
    expect(refusalOf(asRequest(torture('multi01')))?.reason).toBe('More Than One CSeq');
    expect(refusalOf(asRequest(torture('mcl01')))?.reason).toBe('More Than One Content-Length');
  });

  test('bcast: the second Via of a response is where a proxy would have to send it', () => {
    expect(asResponse(torture('bcast')).values('via')[1]).toContain('255.255.255.255');
  });

  test('zeromf: Max-Forwards 0 goes no further', () => {
    expect(forwardingFault(asRequest(torture('zeromf')), proxy)).toMatchObject({ status: 483 });
  });

  test('cparam01, cparam02, regescrt: brackets decide what belongs to the URI', () => {
    const contact = (name: string) => {
      const [address] = asRequest(torture(name)).addresses('contact') ?? [];
      return address && { uri: address.uriText, params: address.params.toString() };
    };
    expect(contact('cparam01')).toEqual({ uri: 'sip:+19725552222@gw1.example.net', params: ';unknownparam' });
    expect(contact('cparam02')).toEqual({ uri: 'sip:+19725552222@gw1.example.net;unknownparam', params: '' });
    expect(contact('regescrt')?.uri).toBe('sip:user@example.com?Route=%3Csip:sip.example.com%3E');
    expect(parseAddress('sip:user@example.com?Route=%3Csip:sip.example.com%3E')).toBeUndefined();
  });

  test.each(['invut', 'sdp01', 'inv2543'])('%s is well-formed and left to whom it is for', (name) => {
    expect(refusalOf(asRequest(torture(name)))).toBeUndefined();
  });

  test('inv2543: without branch, Max-Forwards and tag a request can be matched and checked for loops', () => {
    const request = asRequest(torture('inv2543'));
    expect(serverKey(request)).toBe(serverKey(asRequest(torture('inv2543'))));
    expect(hasLooped(request, () => true)).toBe(false);
    expect(forwardingFault(request, proxy)).toBeUndefined();
  });

  test('no message of the corpus is taken for anything but SIP', () => {
    expect(corpus.size).toBeGreaterThanOrEqual(50);
    const kinds = [...corpus].map(([name, bytes]) => [name, parseDatagram(bytes).kind]);
    const others = kinds.filter(([, kind]) => kind !== 'request' && kind !== 'response');
    expect(others).toEqual([['baddn_sep', 'keep-alive']]);
  });
});
