import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../services/sip/message/address.ts';
import { MessageEdit } from '../../../services/sip/message/edit.ts';
import { Params } from '../../../services/sip/message/params.ts';
import { buildRequest } from '../../../services/sip/message/request.ts';
import { encodeText, quoted, unquoted } from '../../../services/sip/message/text.ts';
import { formatUri, parseUri } from '../../../services/sip/message/uri.ts';
import { sameUri } from '../../../services/sip/message/uri-compare.ts';
import { refusalOf } from '../../../services/sip/message/validate.ts';
import { formatVia, parseVia } from '../../../services/sip/message/via.ts';
import { asRequest } from '../../support/sip-messages.ts';

const of = (characters: string, size: fc.StringConstraints = { minLength: 1, maxLength: 12 }) =>
  fc.string({ ...size, unit: fc.constantFrom(...characters.split('')) });
const alphanumeric = 'abcXYZ019';
const token = of(`${alphanumeric}-.!%*_+\`'~`);
const escaped = fc.constantFrom('%20', '%2C', '%00', '%fF');
const escapable = (characters: string) =>
  fc.array(fc.oneof(of(characters), escaped), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const port = fc.option(fc.nat(65_535), { nil: undefined });
const text = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map((s) => encodeText(s.replaceAll(/[\r\n]/g, ' ')));
const uriParam = escapable(`${alphanumeric}-_.!~*'()[]/:&+$`);
const uriParams = fc
  .array(fc.record({ name: uriParam, value: fc.option(uriParam, { nil: undefined }) }), { maxLength: 3 })
  .map((list) => new Params(list));
const sipUri = fc.record({
  scheme: fc.constantFrom('sip' as const, 'sips' as const),
  user: escapable(`${alphanumeric}-_.!~*'()&=+$,;?/#`),
  password: fc.option(escapable(`${alphanumeric}&=+$,`), { nil: undefined }),
  host,
  port,
  params: uriParams,
  headers: fc.option(escapable(`${alphanumeric}?/:+$=&`), { nil: undefined }),
});
const params = fc
  .array(
    fc.record({ name: token, value: fc.option(fc.oneof(token, text.map(quoted)), { nil: undefined }) }),
    { maxLength: 4 },
  )
  .map((list) => new Params(list));

describe('what is written is read as what it was', () => {
  test('URIs, which also equal themselves', () => {
    fc.assert(
      fc.property(sipUri, (uri) => {
        const parsed = parseUri(formatUri(uri));
        expect(parsed).toEqual(uri);
        expect(parsed && sameUri(parsed, uri)).toBe(true);
      }),
    );
  });

  test('addresses', () => {
    fc.assert(
      fc.property(
        fc.option(text.map(quoted), { nil: undefined }),
        sipUri,
        params,
        (displayName, uri, params) => {
          const address = { displayName, uriText: formatUri(uri), uri, params };
          expect(parseAddress(formatAddress(address))).toEqual(address);
        },
      ),
    );
  });

  test('Via values', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('UDP', 'TCP', 'TLS', 'X-1'),
        host,
        port,
        params,
        (transport, host, port, params) => {
          const via = { transport, host, port, params };
          expect(parseVia(formatVia(via))).toEqual(via);
        },
      ),
    );
  });

  test('quoted strings', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(unquoted(quoted(value))).toBe(value);
      }),
    );
  });

  test('whole requests, through an edit that changes nothing and one that undoes itself', () => {
    const fields = fc.array(
      fc.tuple(
        token.map((name) => `X-${name}`),
        text.map((value) => value.trim()),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(
        token,
        sipUri,
        params,
        fields,
        fc.uint8Array({ maxLength: 200 }),
        (method, uri, params, headers, body) => {
          const { headers: _, ...uriWithoutHeaders } = uri;
          const uriText = formatUri(uriWithoutHeaders);
          const bytes = buildRequest({
            method,
            uri: uriText,
            via: 'SIP/2.0/UDP h;branch=z9hG4bKx',
            from: formatAddress({ uriText: formatUri(uri), params: params.without('tag').with('tag', 'f') }),
            to: `<${uriText}>`,
            callId: 'id',
            cseq: 1,
            headers,
            body,
          });
          const request = asRequest(bytes);
          expect(refusalOf(request)).toBeUndefined();
          expect(request.toBuffer().equals(bytes)).toBe(true);
          expect(new MessageEdit(request).toBuffer().equals(bytes)).toBe(true);
          const edit = new MessageEdit(request).push('Via', 'SIP/2.0/UDP x');
          edit.pop('Via');
          expect(edit.toBuffer().equals(bytes)).toBe(true);
          expect([request.method, request.uriText, request.body.equals(body)]).toEqual([
            method,
            uriText,
            true,
          ]);
          for (const [name, value] of headers) {
            expect(request.lines(name.toLowerCase())).toContain(value.replaceAll(/^[ \t]+|[ \t]+$/g, ''));
          }
        },
      ),
    );
  });
});
