import { describe, expect, test } from 'vitest';
import type { Request } from '../../../services/sip/message/message.ts';
import type { SipUri } from '../../../services/sip/message/uri.ts';
import type { Via } from '../../../services/sip/message/via.ts';
import { forwardingFault } from '../../../services/sip/proxy/admit.ts';
import { hasLooped, loopHash, makeBranch } from '../../../services/sip/proxy/branch.ts';
import { forwardRequest, forwardResponse } from '../../../services/sip/proxy/forward.ts';
import { preprocessRoute, routeOnward } from '../../../services/sip/proxy/route.ts';
import { aRequest, asRequest, asResponse, responseTo, torture } from '../../support/sip-messages.ts';

const isOwn = ({ host }: SipUri) => host === 'proxy.example.com';
const isOwnVia = ({ host }: Via) => host === 'proxy.example.com';

/** The request as this proxy forwards it to `uri`. */
function forwarded(request: Request, uri: string): Request {
  const branch = makeBranch('unique', loopHash(request));
  const { routes } = preprocessRoute(request, isOwn);
  return asRequest(
    forwardRequest(request, { uri, routes, via: `SIP/2.0/UDP proxy.example.com;branch=${branch}` }),
  );
}

describe('Route preprocessing (RFC 3261 section 16.4)', () => {
  const routed = (Route: string, uri?: string) => aRequest('BYE', { ...(uri && { uri }), fields: { Route } });

  test('takes own values off the top and leaves the others', () => {
    const request = routed(
      '<sip:proxy.example.com;lr;token=1>, <sip:proxy.example.com;lr;transport=tls>, <sip:p2;lr>, <sip:proxy.example.com;lr>',
    );
    const { uri, routes, own } = preprocessRoute(request, isOwn);
    expect(uri).toBe('sip:bob@example.com');
    expect(routes).toEqual(['<sip:p2;lr>', '<sip:proxy.example.com;lr>']);
    expect(own.map(({ params }) => params.toString())).toEqual([';lr;token=1', ';lr;transport=tls']);
  });

  test('undoes what a strict router did to the Request-URI', () => {
    const request = routed('<sip:p2;lr>, <sip:bob@192.0.2.4>', 'sip:proxy.example.com;lr;token=1');
    const { uri, routes, own } = preprocessRoute(request, isOwn);
    expect([uri, routes]).toEqual(['sip:bob@192.0.2.4', ['<sip:p2;lr>']]);
    expect(own[0]?.params.get('token')).toBe('1');
  });

  test('leaves a Request-URI of ours that is no Record-Route value alone', () => {
    const request = routed('<sip:p2;lr>', 'sip:proxy.example.com');
    expect(preprocessRoute(request, isOwn)).toMatchObject({
      uri: 'sip:proxy.example.com',
      routes: ['<sip:p2;lr>'],
    });
  });

  test('takes off an maddr that is this element', () => {
    const request = aRequest('OPTIONS', {
      uri: 'sip:bob@example.com:5070;maddr=proxy.example.com;transport=tcp;x=1',
    });
    expect(preprocessRoute(request, isOwn).uri).toBe('sip:bob@example.com;x=1');
    const other = aRequest('OPTIONS', { uri: 'sip:bob@example.com;maddr=other.example.com' });
    expect(preprocessRoute(other, isOwn).uri).toBe('sip:bob@example.com;maddr=other.example.com');
  });

  test('has nothing to do without Route', () => {
    expect(preprocessRoute(aRequest('BYE', { uri: 'tel:+123' }), isOwn)).toEqual({
      uri: 'tel:+123',
      routes: [],
      own: [],
    });
  });
});

describe('the next hop (sections 16.6 and 16.12)', () => {
  test('is the Request-URI without Route', () => {
    expect(routeOnward({ uri: 'sip:b', routes: [] })).toEqual({ uri: 'sip:b', routes: [], nextHop: 'sip:b' });
  });

  test('is the first Route where that is a loose router', () => {
    const set = { uri: 'sip:b', routes: ['<sip:p;lr>', '<sip:q>'] };
    expect(routeOnward(set)).toEqual({ ...set, nextHop: 'sip:p;lr' });
  });

  test("is a strict router's URI, which becomes the Request-URI", () => {
    expect(routeOnward({ uri: 'sip:b', routes: ['<sip:p?Subject=x>', '<sip:q;lr>'] })).toEqual({
      uri: 'sip:p',
      routes: ['<sip:q;lr>', '<sip:b>'],
      nextHop: 'sip:p',
    });
  });
});

describe('a forwarded request', () => {
  const invite = aRequest('INVITE', { fields: { Route: '<sip:proxy.example.com;lr>', 'X-Own': ' kept ' } });

  test('has the new Request-URI, one hop less, our Via and Record-Route on top, everything else as it was', () => {
    const request = asRequest(
      forwardRequest(invite, {
        uri: 'sip:bob@192.0.2.4',
        routes: ['<sip:edge;lr>', '<sip:p2;lr>'],
        via: 'SIP/2.0/UDP proxy.example.com;branch=z9hG4bKp',
        recordRoute: '<sip:proxy.example.com;lr>',
      }),
    );
    expect(request.uriText).toBe('sip:bob@192.0.2.4');
    expect(request.maxForwards).toBe(69);
    expect(request.values('via')).toEqual([
      'SIP/2.0/UDP proxy.example.com;branch=z9hG4bKp',
      ...invite.values('via'),
    ]);
    expect(request.values('route')).toEqual(['<sip:edge;lr>', '<sip:p2;lr>']);
    expect(request.values('record-route')).toEqual(['<sip:proxy.example.com;lr>']);
    for (const name of ['from', 'to', 'call-id', 'cseq', 'x-own'])
      expect(request.value(name)).toBe(invite.value(name));
  });

  test('gets Max-Forwards where it had none', () => {
    expect(forwarded(asRequest(torture('inv2543')), 'sip:x').maxForwards).toBe(70);
  });
});

describe('a loop', () => {
  const invite = aRequest('INVITE');

  test('is a request that comes back as it was', () => {
    const back = forwarded(forwarded(invite, 'sip:carol@example.com'), 'sip:bob@example.com');
    expect(hasLooped(back, isOwnVia)).toBe(true);
    expect(forwardingFault(back, { isOwnVia, extensions: [] })).toMatchObject({ status: 482 });
  });

  test('is one even when it went through another proxy, whose Via is on top', () => {
    const other = forwarded(invite, 'sip:bob@example.com')
      .toBuffer()
      .toString()
      .replace('Via:', 'Via: SIP/2.0/UDP other.example.com;branch=z9hG4bKo\r\nVia:');
    expect(hasLooped(asRequest(Buffer.from(other)), isOwnVia)).toBe(true);
  });

  test('is not a spiral, where the Request-URI has changed', () => {
    expect(hasLooped(forwarded(invite, 'sip:carol@example.com'), isOwnVia)).toBe(false);
  });

  test('is not another request: tags, Call-ID, CSeq, Route and credentials tell', () => {
    const hash = loopHash(invite);
    for (const fields of [
      { From: '<sip:alice@example.com>;tag=x' },
      { To: '<sip:bob@example.com>;tag=x' },
      { 'Call-ID': 'x' },
      { CSeq: '2 INVITE' },
      { Route: '<sip:x;lr>' },
      { 'Proxy-Require': 'x' },
      { 'Proxy-Authorization': 'Digest x=y' },
    ]) {
      expect(loopHash(aRequest('INVITE', { fields }))).not.toBe(hash);
    }
    expect(loopHash(aRequest('CANCEL', { fields: { Via: 'SIP/2.0/UDP other' } }))).toBe(hash);
  });
});

describe('a response on its way back', () => {
  test('loses our Via, gains the other challenges, and goes where the next Via says', () => {
    const request = forwarded(aRequest('INVITE'), 'sip:bob@192.0.2.4');
    const first = responseTo(request, 401, { 'WWW-Authenticate': 'Digest realm="a"' });
    const second = responseTo(request, 407, { 'Proxy-Authenticate': 'Digest realm="b"' });
    const back = forwardResponse(first, [second]);
    if (!back) throw new Error('not forwarded');
    const response = asResponse(back.bytes);
    expect(response.values('via')).toEqual(['SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds']);
    expect(back.via).toMatchObject({ host: '192.0.2.1', port: 5060 });
    expect([response.value('www-authenticate'), response.value('proxy-authenticate')]).toEqual([
      'Digest realm="a"',
      'Digest realm="b"',
    ]);
  });

  test('to a request of our own goes no further', () => {
    expect(forwardResponse(responseTo(aRequest('OPTIONS'), 200))).toBeUndefined();
  });
});
