import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { answerChallenge, formatChallenge, parseChallenge } from '../../../services/sip/auth/challenge.ts';
import type { Challenge } from '../../../services/sip/auth/challenge.ts';
import { credentialsOf, judgeCredentials, parseCredentials } from '../../../services/sip/auth/credentials.ts';
import type { Verdict } from '../../../services/sip/auth/credentials.ts';
import { digestHa1, digestResponse } from '../../../services/sip/auth/digest.ts';
import { hmacSha256 } from '../../../services/sip/auth/hmac.ts';
import { judgeNonce, makeNonce } from '../../../services/sip/auth/nonce.ts';
import { NonceCounts } from '../../../services/sip/auth/nonce-counts.ts';
import type { TokenKeys } from '../../../services/sip/auth/token.ts';
import { parseAuthHeader } from '../../../services/sip/auth/auth-header.ts';
import { aRequest } from '../../support/sip-messages.ts';

describe('digest vectors', () => {
  test('RFC 2617 section 3.5', () => {
    const ha1 = digestHa1('MD5', 'Mufasa', 'testrealm@host.com', 'Circle Of Life');
    expect(ha1).toBe('939e7578ed9e3c518a452acee763bce9');
    const input = {
      algorithm: 'MD5',
      method: 'GET',
      uri: '/dir/index.html',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      qop: { value: 'auth', nonceCount: '00000001', cnonce: '0a4f113b' },
    } as const;
    expect(digestResponse(ha1, input)).toBe('6629fae49393a05397450978507c4ef1');
  });

  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const)('RFC 7616 section 3.9.1, %s, which RFC 8760 takes over', (algorithm, response) => {
    const ha1 = digestHa1(algorithm, 'Mufasa', 'http-auth@example.org', 'Circle of Life');
    const input = {
      algorithm,
      method: 'GET',
      uri: '/dir/index.html',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      qop: { value: 'auth', nonceCount: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
    } as const;
    expect(digestResponse(ha1, input)).toBe(response);
  });

  test('RFC 2069 without quality of protection, with the corrected response of its errata', () => {
    const ha1 = digestHa1('MD5', 'Mufasa', 'testrealm@host.com', 'CircleOfLife');
    const input = {
      algorithm: 'MD5',
      method: 'GET',
      uri: '/dir/index.html',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    } as const;
    expect(digestResponse(ha1, input)).toBe('1949323746fe6a43ef61f9606e7febea');
  });
});

describe('HMAC-SHA-256', () => {
  test('RFC 4231 test case 2', () => {
    expect(hmacSha256(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')).toString('hex')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  test.each([0, 1, 32, 63, 64, 65, 200])('with a key of %i bytes is what node:crypto makes of it', (size) => {
    const key = Buffer.alloc(size, 0xa5);
    for (const message of ['', 'x', 'y'.repeat(300)]) {
      const expected = createHmac('sha256', key).update(message).digest('hex');
      expect(hmacSha256(key, Buffer.from(message)).toString('hex')).toBe(expected);
    }
  });
});

const keys: TokenKeys = [Buffer.alloc(32, 1)];
const realm = 'home.example.com';
const nonceLifetimeMs = 60_000;

/** A registrar and a phone that knows the password; time is a number. */
class Scene {
  readonly counts = new NonceCounts(3);
  readonly ha1 = digestHa1('SHA-256', 'alice', realm, 'secret');
  #unique = 0;

  challenge(nowMs: number, siteKeys = keys): Challenge {
    const nonce = makeNonce(siteKeys, realm, nowMs, this.#unique++);
    const text = formatChallenge({ realm, nonce, algorithm: 'SHA-256', isStale: false });
    const challenge = parseChallenge(text);
    if (!challenge) throw new Error(`malformed ${text}`);
    return challenge;
  }

  /** The phone answers a challenge and the registrar judges. */
  judge(challenge: Challenge, nowMs: number, { count = 1, ha1 = this.ha1 } = {}): Verdict {
    const value = answerChallenge(challenge, {
      username: 'alice',
      ha1,
      method: 'REGISTER',
      uri: 'sip:home.example.com',
      cnonce: 'c',
      count,
    });
    return this.judgeText(value, nowMs);
  }

  judgeText(value: string, nowMs: number): Verdict {
    const request = aRequest('REGISTER', { fields: { Authorization: value } });
    const credentials = credentialsOf(request, 'authorization', realm);
    if (!credentials) throw new Error(`malformed ${value}`);
    return judgeCredentials(credentials, this.ha1, { keys, nowMs, nonceLifetimeMs, counts: this.counts });
  }
}

describe('credentials', () => {
  test('that are right are accepted once for each count', () => {
    const scene = new Scene();
    const challenge = scene.challenge(1000);
    expect(scene.judge(challenge, 1000)).toBe('accepted');
    expect(scene.judge(challenge, 1000)).toBe('stale');
    expect(scene.judge(challenge, 1000, { count: 3 })).toBe('accepted');
    expect(scene.judge(challenge, 1000, { count: 2 })).toBe('accepted');
    expect(scene.judge(challenge, 1000, { count: 2 })).toBe('stale');
  });

  test('of another password are wrong and leave no trace', () => {
    const scene = new Scene();
    const challenge = scene.challenge(1000);
    const ha1 = digestHa1('SHA-256', 'alice', realm, 'guess');
    expect(scene.judge(challenge, 1000, { ha1 })).toBe('wrong');
    expect(scene.counts.size).toBe(0);
    expect(scene.judge(challenge, 1000)).toBe('accepted');
  });

  test('that are right on an old nonce, or on one of another site or realm, are stale', () => {
    const scene = new Scene();
    const challenge = scene.challenge(1000);
    expect(scene.judge(challenge, 1000 + nonceLifetimeMs)).toBe('accepted');
    expect(scene.judge(challenge, 1001 + nonceLifetimeMs, { count: 2 })).toBe('stale');
    expect(scene.judge(scene.challenge(1000, [Buffer.alloc(32, 2)]), 1000)).toBe('stale');
    expect(scene.judge({ ...challenge, nonce: 'made-up' }, 1000)).toBe('stale');
    expect(judgeNonce(keys, 'other.example.com', challenge.nonce, 1000, nonceLifetimeMs)).toEqual({
      kind: 'foreign',
    });
  });

  test('go on with a nonce signed by a key that is being replaced', () => {
    const scene = new Scene();
    const { nonce } = scene.challenge(1000);
    const newKeys: TokenKeys = [Buffer.alloc(32, 9), keys[0]];
    expect(judgeNonce(newKeys, realm, nonce, 1000, nonceLifetimeMs)).toEqual({
      kind: 'fresh',
      issuedMs: 1000,
    });
  });

  test('without quality of protection are accepted once', () => {
    const scene = new Scene();
    const { nonce } = scene.challenge(1000);
    const uri = 'sip:home.example.com';
    const response = digestResponse(scene.ha1, { algorithm: 'SHA-256', method: 'REGISTER', uri, nonce });
    const value = `Digest username="alice", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=SHA-256`;
    expect(scene.judgeText(value, 1000)).toBe('accepted');
    expect(scene.judgeText(value, 1000)).toBe('stale');
  });

  test('are those for the realm, among several', () => {
    const value = `Digest username="a", realm="${realm}", nonce="n", uri="u", response="R"`;
    const request = aRequest('REGISTER', {
      fields: { Authorization: value.replace(realm, 'other'), AUTHORIZATION: value },
    });
    expect(credentialsOf(request, 'authorization', realm)).toMatchObject({ username: 'a', response: 'r' });
    expect(credentialsOf(request, 'proxy-authorization', realm)).toBeUndefined();
  });

  test('have their user name in Unicode', () => {
    const name = Buffer.from('Jürg').toString('latin1');
    expect(
      parseCredentials(`Digest username="${name}", realm="r", nonce="n", uri="u", response="x"`, 'REGISTER')
        ?.username,
    ).toBe('Jürg');
  });

  test.each([
    'Basic dTpw',
    'Digest',
    'Digest username="a", realm="r", nonce="n", uri="u"',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", algorithm=MD5-sess',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth-int, nc=00000001, cnonce="c"',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth, nc=1, cnonce="c"',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth, nc=00000001',
    'Digest username="a" realm="r"',
    'Digest username="a, realm="r',
    'Digest username=',
    '',
  ])('%j is not used', (text) => {
    expect(parseCredentials(text, 'REGISTER')).toBeUndefined();
  });
});

describe('challenges', () => {
  test('name realm, nonce, algorithm, quality of protection, and staleness only when stale', () => {
    const challenge = { realm: 'a "b"', nonce: 'n', algorithm: 'MD5', isStale: true } as const;
    expect(formatChallenge(challenge)).toBe(
      'Digest realm="a \\"b\\"", nonce="n", algorithm=MD5, qop="auth", stale=true',
    );
    expect(parseChallenge(formatChallenge(challenge))).toEqual(challenge);
    expect(formatChallenge({ ...challenge, isStale: false })).not.toContain('stale');
  });

  test.each([
    'Digest realm="r", nonce="n", algorithm=SHA-512-256, qop="auth"',
    'Digest realm="r", nonce="n", qop="auth-int"',
    'Digest realm="r", qop="auth"',
    'Basic realm="r"',
  ])('%s cannot be answered', (text) => {
    expect(parseChallenge(text)).toBeUndefined();
  });

  test('of others are read: several qualities of protection, no algorithm', () => {
    expect(parseChallenge('DIGEST  realm = "r" ,nonce="n", qop="auth-int, auth"')).toEqual({
      realm: 'r',
      nonce: 'n',
      algorithm: 'MD5',
      isStale: false,
    });
    expect(parseAuthHeader('Digest a="x,y", b=z')?.params.toString()).toBe(';a="x,y";b=z');
  });
});

describe('nonce counts', () => {
  test('are accepted out of order within 32, each once', () => {
    const counts = new NonceCounts(1);
    expect(counts.use('n', 0, 40)).toBe(true);
    const upTo40 = Array.from({ length: 40 }, (_, i) => i + 1);
    const accepted = upTo40.filter((count) => counts.use('n', 0, count));
    expect(accepted).toEqual(upTo40.filter((count) => count >= 9 && count < 40));
    expect(upTo40.filter((count) => counts.use('n', 0, count))).toEqual([]);
    expect(counts.use('n', 0, 0xffff_ffff)).toBe(true);
    expect(counts.use('n', 0, 41)).toBe(false);
  });

  test('of a nonce that had to be forgotten are never accepted again, nor those of one as old', () => {
    const counts = new NonceCounts(2);
    expect(counts.use('a', 10, 1)).toBe(true);
    expect(counts.use('b', 11, 1)).toBe(true);
    expect(counts.use('c', 12, 1)).toBe(true);
    expect(counts.size).toBe(2);
    expect(counts.use('a', 10, 2)).toBe(false);
    expect(counts.use('older', 9, 1)).toBe(false);
    expect(counts.use('b', 11, 2)).toBe(true);
  });

  test('expire with their nonces', () => {
    const counts = new NonceCounts(10);
    for (const issuedMs of [10, 20, 30]) counts.use(String(issuedMs), issuedMs, 1);
    counts.expire(30);
    expect(counts.size).toBe(1);
    expect(counts.use('20', 20, 2)).toBe(false);
    expect(counts.use('30', 30, 2)).toBe(true);
  });
});
