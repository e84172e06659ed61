import { describe, expect, test } from 'vitest';
import { MessageEdit } from '../../../services/sip/message/edit.ts';
import { buildAck, buildCancel, buildRequest } from '../../../services/sip/message/request.ts';
import { buildResponse, isAnswerable } from '../../../services/sip/message/response.ts';
import { refusalOf } from '../../../services/sip/message/validate.ts';
import {
  aRequest,
  asRequest,
  asResponse,
  messageBytes,
  responseTo,
  torture,
} from '../../support/sip-messages.ts';

const lines = [
  'INVITE sip:bob@example.com SIP/2.0',
  'v:SIP/2.0/UDP h1;branch=z9hG4bK1 ,  SIP/2.0/UDP h2',
  'Subject:  kept   as\t it is',
  'Route: <sip:p1;lr>, <sip:p2;lr>',
  'ROUTE: <sip:p3;lr>',
  'X-Folded: a',
  '  b',
];
const body = 'v=0\r\n\0\xff';

function edited(change: (edit: MessageEdit) => unknown): string[] {
  const edit = new MessageEdit(asRequest(messageBytes(lines, body)));
  change(edit);
  const text = edit.toBuffer().toString('latin1');
  expect(text.endsWith(`\r\n\r\n${body}`)).toBe(true);
  return text.slice(0, -body.length - 4).split('\r\n');
}

describe('an edit', () => {
  test('leaves every line it does not name as it came, and adds Content-Length for streams', () => {
    expect(edited(() => {})).toEqual([...lines, `Content-Length: ${body.length}`]);
  });

  test('replaces the Request-URI alone', () => {
    expect(edited((edit) => edit.requestUri('sip:carol@example.com;x=1'))[0]).toBe(
      'INVITE sip:carol@example.com;x=1 SIP/2.0',
    );
  });

  test('pushes on top', () => {
    const [, first, second] = edited((edit) => edit.push('Via', 'A').push('Record-Route', 'B'));
    expect([first, second]).toEqual(['Record-Route: B', 'Via: A']);
  });

  test('pops one value after the other, over lines, and then nothing', () => {
    const popped: (string | undefined)[] = [];
    const rest = edited((edit) => {
      for (let i = 0; i < 4; i++) popped.push(edit.pop('Route'));
      popped.push(edit.pop('via'));
    });
    expect(popped).toEqual([
      '<sip:p1;lr>',
      '<sip:p2;lr>',
      '<sip:p3;lr>',
      undefined,
      'SIP/2.0/UDP h1;branch=z9hG4bK1',
    ]);
    expect(rest.filter((line) => /^route/i.test(line))).toEqual([]);
    expect(rest).toContain('via: SIP/2.0/UDP h2');
  });

  test('sets a field where it stood, and only once', () => {
    const result = edited((edit) => edit.set('Route', '<sip:x>').set('Expires', '5'));
    expect(result.filter((line) => /^route/i.test(line))).toEqual(['Route: <sip:x>']);
    expect(result.indexOf('Route: <sip:x>')).toBe(3);
    expect(result.at(-2)).toBe('Expires: 5');
  });

  test('removes every line of a field', () => {
    expect(edited((edit) => edit.remove('route').remove('x-folded'))).toHaveLength(lines.length - 3);
  });

  test('refuses a value with a line break in it', () => {
    expect(() => edited((edit) => edit.push('Via', 'a\r\nb'))).toThrow(TypeError);
    expect(() => edited((edit) => edit.requestUri('a\nb'))).toThrow(TypeError);
  });
});

describe('a response', () => {
  test('copies Via, From, To, Call-ID and CSeq as they came, and tags To', () => {
    const request = asRequest(torture('wsinv'));
    const response = asResponse(buildResponse(request, 404, { toTag: 'new' }));
    expect(response.values('via')).toEqual(request.values('via'));
    expect(response.to?.params.get('tag')).toBe('1918181833n');
    expect(response.cseq).toEqual(request.cseq);
    expect(response.reason).toBe('Not Found');
    expect(response.value('content-length')).toBe('0');
    expect(responseTo(aRequest('OPTIONS'), 200).to?.params.get('tag')).toBe('callee');
  });

  test('copies every Via, in order', () => {
    const request = asRequest(
      messageBytes([...lines, 'From: <sip:a@b>', 'To: <sip:c@d>', 'Via: SIP/2.0/UDP h3']),
    );
    const response = asResponse(buildResponse(request, 100));
    expect(response.values('via')).toEqual([
      'SIP/2.0/UDP h1;branch=z9hG4bK1',
      'SIP/2.0/UDP h2',
      'SIP/2.0/UDP h3',
    ]);
  });

  test('copies Timestamp into a 100 only', () => {
    const request = aRequest('INVITE', { fields: { Timestamp: '54' } });
    expect(asResponse(buildResponse(request, 100)).value('timestamp')).toBe('54');
    expect(asResponse(buildResponse(request, 180)).has('timestamp')).toBe(false);
  });

  test('carries headers and a body', () => {
    const response = asResponse(
      buildResponse(aRequest('OPTIONS'), 200, {
        headers: [['Allow', 'INVITE']],
        body: Buffer.from('abc'),
        reason: 'Yes',
      }),
    );
    expect([response.value('allow'), response.body.toString(), response.reason]).toEqual([
      'INVITE',
      'abc',
      'Yes',
    ]);
  });

  test('is not given to an ACK, nor to a request without Via', () => {
    expect(isAnswerable(aRequest('OPTIONS'))).toBe(true);
    expect(isAnswerable(aRequest('ACK'))).toBe(false);
    expect(isAnswerable(asRequest(torture('test')))).toBe(false);
  });
});

describe('a request of our own', () => {
  test('is well-formed', () => {
    const request = asRequest(
      buildRequest({
        method: 'OPTIONS',
        uri: 'sip:peer.example.com',
        via: 'SIP/2.0/TCP here;branch=z9hG4bKx',
        from: '<sip:here>;tag=1',
        to: '<sip:peer.example.com>',
        callId: 'c@here',
        cseq: 7,
        headers: [['Accept', 'application/sdp']],
        body: Buffer.from('x'),
      }),
    );
    expect(refusalOf(request)).toBeUndefined();
    expect([request.maxForwards, request.value('accept'), request.body.toString()]).toEqual([
      70,
      'application/sdp',
      'x',
    ]);
  });

  const invite = aRequest('INVITE', { fields: { Route: '<sip:p1;lr>, <sip:p2;lr>' } });

  test("CANCEL has the INVITE's Request-URI, top Via, Route, From, To, Call-ID and CSeq number", () => {
    const cancel = asRequest(buildCancel(invite));
    expect(refusalOf(cancel)).toBeUndefined();
    for (const name of ['via', 'from', 'to', 'call-id', 'route'])
      expect(cancel.value(name)).toBe(invite.value(name));
    expect([cancel.uriText, cancel.cseq]).toEqual([invite.uriText, { number: 314_159, method: 'CANCEL' }]);
  });

  test("ACK for a failure has the response's To", () => {
    const ack = asRequest(buildAck(invite, responseTo(invite, 486)));
    expect(refusalOf(ack)).toBeUndefined();
    expect(ack.to?.params.get('tag')).toBe('callee');
    expect([ack.value('via'), ack.cseq?.method, ack.value('route')]).toEqual([
      invite.value('via'),
      'ACK',
      '<sip:p1;lr>, <sip:p2;lr>',
    ]);
  });
});
