import { describe, expect, it } from 'vitest';
import { decodeToken, encodeToken } from '../../../services/site/pairing/token.ts';
import type { Invitation } from '../../../services/site/pairing/token.ts';
import { Secret } from '../../../services/platform/logging/secret.ts';

const secret = '5e'.repeat(32);
const invitation: Invitation = {
  site: 'c1',
  at: '192.0.2.1:7403',
  secret: new Secret(secret),
  expiresMs: 1_800_000_000_000,
  sends: true,
  receives: false,
  authority: Buffer.from('a certificate'),
};

describe('a pairing token', () => {
  it('carries everything the other site needs, also when a terminal broke it into lines', () => {
    const token = encodeToken(invitation);
    const broken = `  ${token.slice(0, 40)}\n${token.slice(40)}\n`;
    const { secret: read, ...rest } = decodeToken(broken);
    expect(read.reveal()).toBe(secret);
    expect({ ...rest, authority: Buffer.from(rest.authority).toString() }).toEqual({
      site: 'c1',
      at: '192.0.2.1:7403',
      expiresMs: 1_800_000_000_000,
      sends: true,
      receives: false,
      authority: 'a certificate',
    });
  });

  it.each([
    ['nothing', ''],
    ['other text', 'hello world'],
    ['one that was cut off', encodeToken(invitation).slice(0, 120)],
    ['one with a character that does not belong', `${encodeToken(invitation)}!`],
    ['one of a later format', Buffer.from('\0\x07{"v":2}').toString('base64url')],
  ])('is not %s', (_what, text) => {
    expect(() => decodeToken(text)).toThrow('PAIRING_TOKEN_INVALID');
  });
});
