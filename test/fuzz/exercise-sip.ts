import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { parseChallenge } from '../../services/sip/auth/challenge.ts';
import { credentialsOf, parseCredentials } from '../../services/sip/auth/credentials.ts';
import { formatAddress, parseAddress } from '../../services/sip/message/address.ts';
import { MessageEdit } from '../../services/sip/message/edit.ts';
import { parseExpirySeconds, parseRetryAfterSeconds } from '../../services/sip/message/fields.ts';
import type { Request, Response } from '../../services/sip/message/message.ts';
import { parseDatagram } from '../../services/sip/message/parse.ts';
import { buildAck, buildCancel } from '../../services/sip/message/request.ts';
import { buildRefusal, buildResponse } from '../../services/sip/message/response.ts';
import { formatUri, isSip, parseUri } from '../../services/sip/message/uri.ts';
import { canonicalAor, sameUri } from '../../services/sip/message/uri-compare.ts';
import { discardReasonOf, refusalOf } from '../../services/sip/message/validate.ts';
import { forwardingFault } from '../../services/sip/proxy/admit.ts';
import { forwardRequest, forwardResponse } from '../../services/sip/proxy/forward.ts';
import { preprocessRoute, routeOnward } from '../../services/sip/proxy/route.ts';
import { TransactionLayer } from '../../services/sip/transaction/layer.ts';
import { responseEndpoint, stampRequest } from '../../services/sip/transport/received.ts';
import { StreamFramer } from '../../services/sip/transport/stream-framer.ts';
import { answerStun } from '../../services/sip/transport/stun.ts';

const source = { address: '192.0.2.9', port: 40_000 };
const addressFields = ['contact', 'route', 'record-route', 'path', 'p-asserted-identity', 'refer-to'];

/**
 * Does to a message what the programs do, and checks what must hold of any message: nothing throws, what is written
 * can be read, and what was accepted is accepted by the next hop too.
 */
export class SipExercise {
  readonly #layer = new TransactionLayer<string>({ transactionsMax: 1_000 });

  run(bytes: Buffer, random: () => number): void {
    const message = parseDatagram(bytes);
    if (message.kind === 'request') this.#request(message);
    if (message.kind === 'response') this.#response(message);
    frame(bytes, random);
    answerStun(bytes, source);
  }

  #request(received: Request): void {
    readEverything(received);
    const request = stampRequest(received, source);
    equal(
      request.head.text.slice(0, request.head.fieldsStart),
      received.head.text.slice(0, received.head.fieldsStart),
    );
    readEverything(request);
    const refusal = refusalOf(request);
    const refused = refusal
      ? buildRefusal(request, refusal, { toTag: 't' })
      : buildResponse(request, 200, { toTag: 't' });
    equal(parseDatagram(refused).kind, 'response');
    if (refusal) return;
    checkUri(request.uriText);
    const response = parseDatagram(refused);
    ok(response.kind === 'response' && discardReasonOf(response) === undefined, 'our response is malformed');
    accepted(buildCancel(request));
    accepted(buildAck(request, response));
    this.#forward(request);
    for (const output of this.#layer.receiveRequest(request, 'x', false)) {
      if (output.kind === 'request') this.#layer.respond(output.transaction, 200, refused);
    }
  }

  #forward(request: Request): void {
    forwardingFault(request, { isOwnVia: () => true, extensions: [] });
    if (request.maxForwards === 0) return;
    const isOwn = () => request.body.length % 2 === 0;
    const onward = routeOnward(preprocessRoute(request, isOwn));
    const via = 'SIP/2.0/UDP proxy;branch=z9hG4bKx';
    const forwarded = accepted(forwardRequest(request, { ...onward, via, recordRoute: '<sip:proxy;lr>' }));
    equal(forwarded.values('via').length, request.values('via').length + 1);
    equal(forwarded.callId, request.callId);
    ok(forwarded.body.equals(request.body), 'the body has changed');
    this.#layer.send(forwarded, 'x', true);
    for (const output of this.#layer.receiveResponse(responseTo(forwarded, 404)))
      equal(output.kind !== 'timeout', true);
    const back = forwardResponse(responseTo(forwarded, 200));
    ok(back, 'a response lost its way');
    responseEndpoint(back.via);
  }

  #response(response: Response): void {
    readEverything(response);
    if (discardReasonOf(response) !== undefined) return;
    this.#layer.receiveResponse(response);
    const back = forwardResponse(response, [response]);
    if (!back) return;
    equal(parseDatagram(back.bytes).kind, 'response');
    hasNoBareBreak(back.bytes);
  }
}

function accepted(bytes: Buffer): Request {
  const message = parseDatagram(bytes);
  ok(message.kind === 'request', 'our request is none');
  equal(refusalOf(message), undefined);
  hasNoBareBreak(bytes);
  return message;
}

/** What we send has no line break but CRLF in its head: the next hop sees the lines we saw. */
function hasNoBareBreak(bytes: Buffer): void {
  const text = bytes.toString('latin1', 0, bytes.indexOf('\r\n\r\n') + 4);
  ok(!/\r(?!\n)|(?<!\r)\n/.test(text), 'a bare line break was sent');
}

function responseTo(request: Request, status: number): Response {
  const message = parseDatagram(buildResponse(request, status, { toTag: 't' }));
  ok(message.kind === 'response', 'our response is none');
  return message;
}

function readEverything(message: Request | Response): void {
  for (const name of new Set(message.head.fields.map((field) => field.name))) message.values(name);
  for (const name of addressFields) {
    for (const value of message.values(name)) checkAddress(value);
  }
  for (const line of message.lines('authorization')) {
    parseChallenge(line);
    parseCredentials(line, 'REGISTER');
  }
  parseRetryAfterSeconds(message.value('retry-after'));
  parseExpirySeconds(message.value('expires'));
  if (message.kind === 'request') credentialsOf(message, 'authorization', 'r');
  const bytes = message.toBuffer();
  if (message.head.fault) return;
  const again = new MessageEdit(message).toBuffer();
  if (message.has('content-length'))
    ok(again.equals(bytes), 'an edit without a change has changed something');
}

function checkAddress(value: string): void {
  const address = parseAddress(value);
  if (address) deepStrictEqual(parseAddress(formatAddress(address)), address);
}

function checkUri(text: string): void {
  const uri = parseUri(text);
  ok(uri, 'an accepted Request-URI is malformed');
  deepStrictEqual(parseUri(formatUri(uri)), { ...uri });
  ok(sameUri(uri, uri), 'a URI differs from itself');
  if (isSip(uri)) ok(parseUri(canonicalAor(uri)), 'an address-of-record is malformed');
}

/** A stream in random pieces has the frames it has in one. */
function frame(bytes: Buffer, random: () => number): void {
  const whole = new StreamFramer().push(bytes, 0);
  const framer = new StreamFramer();
  const pieces = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + Math.floor(random() * 200);
    pieces.push(...framer.push(bytes.subarray(at, end), 0));
    at = end;
  }
  const kinds = (frames: typeof whole) =>
    frames.filter(({ kind }) => kind !== 'pong').map(({ kind }) => kind);
  deepStrictEqual(kinds(pieces), kinds(whole));
}
