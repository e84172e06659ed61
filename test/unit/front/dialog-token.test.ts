import { describe, expect, it } from 'vitest';
import {
  deviceDigest,
  dialogDestination,
  dialogEnds,
  dialogSecondsMax,
  sealDialogToken,
} from '../../../services/front/calls/dialog-token.ts';
import { openCalleeToken, sealCalleeToken } from '../../../services/front/calls/callee-token.ts';
import { aRequest } from '../../support/sip-messages.ts';

const c1 = Buffer.alloc(32, 1);
const c2 = Buffer.alloc(32, 2);
const nowMs = Date.UTC(2026, 10, 25);
const caller = { aor: 'alice@example.com', device: deviceDigest('urn:uuid:1') };
const callee = { aor: 'bob@example.com', device: deviceDigest('device:gateway') };

const invite = aRequest('INVITE', { fields: { From: '<sip:alice@example.com>;tag=a', 'Call-ID': 'one' } });
const inDialog = (from: string, to: string, callId = 'one') =>
  aRequest('BYE', {
    fields: { From: `<sip:x@y>;tag=${from}`, To: `<sip:y@x>;tag=${to}`, 'Call-ID': callId },
  });
const token = sealDialogToken([c1], invite, { caller, callee }, nowMs);
const bob = { address: 'bob@example.com', number: null };
const open = (request = inDialog('a', 'b'), text = token, atMs = nowMs, keys = [c2, c1] as const) =>
  dialogDestination([...keys], text, request, atMs);

describe('a dialog token', () => {
  it("leads the caller's requests to the callee and the callee's to the caller, at either site of the pair", () => {
    expect(open()).toEqual({ end: callee });
    expect(open(inDialog('b', 'a'))).toEqual({ end: caller });
    expect(dialogDestination([c1, c2], token, inDialog('b', 'a'), nowMs)).toEqual({ end: caller });
  });

  it('says where an end is no device of the pair', () => {
    const out = sealDialogToken([c1], invite, { caller, callee: null }, nowMs);
    expect(open(inDialog('a', 'b'), out)).toEqual({ end: null });
    const into = sealDialogToken([c1], invite, { caller: null, callee }, nowMs);
    expect(open(inDialog('b', 'a'), into)).toEqual({ end: null });
    expect(open(inDialog('a', 'b'), into)).toEqual({ end: callee });
  });

  it.each([
    ['of another dialog', inDialog('a', 'b', 'two'), token, nowMs],
    ["with tags that are not the dialog's", inDialog('x', 'b'), token, nowMs],
    ['without a To tag', aRequest('INVITE', { fields: { 'Call-ID': 'one' } }), token, nowMs],
    ['after a day', inDialog('a', 'b'), token, nowMs + dialogSecondsMax * 1000 + 1000],
    ['with one character changed', inDialog('a', 'b'), `${token.slice(0, -2)}AA`, nowMs],
    ['cut off', inDialog('a', 'b'), token.slice(0, 30), nowMs],
    ['made for another purpose', inDialog('a', 'b'), sealCalleeToken([c1], bob), nowMs],
    ['made up', inDialog('a', 'b'), 'bob', nowMs],
  ])('opens nothing %s', (_, request, text, atMs) => {
    expect(open(request, text, atMs)).toBeUndefined();
  });

  it('opens nothing with a key of nobody in the pair', () => {
    expect(dialogDestination([c2], token, inDialog('a', 'b'), nowMs)).toBeUndefined();
    expect([dialogEnds([c2], token), dialogEnds([c2, c1], token)]).toEqual([undefined, [caller, callee]]);
  });

  it('fits into the user part of a URI and stays short', () => {
    expect(token).toMatch(/^[\w-]+$/);
    expect(token.length).toBeLessThan(140);
  });
});

describe('a token for a callee', () => {
  it('is opened by the pair alone', () => {
    const sealed = sealCalleeToken([c1], bob);
    expect(openCalleeToken([c2, c1], sealed)).toEqual(bob);
    expect(openCalleeToken([c2], sealed)).toBeUndefined();
    expect(openCalleeToken([c1], token)).toBeUndefined();
  });
});
