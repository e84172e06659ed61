import { describe, expect, test } from 'vitest';
import { DualhomeError, errorRegistry } from '../../../services/protocol/errors/index.ts';
import type { ErrorCode } from '../../../services/protocol/errors/index.ts';
import { errorOfProblem, problemOf } from '../../../services/protocol/errors/problem.ts';
import { networkErrorOf } from '../../../services/platform/http/client-errors.ts';

const codes = Object.keys(errorRegistry) as ErrorCode[];

describe('problem details', () => {
  test.each(codes)('%s comes back as itself, with detail and facts', (code) => {
    const facts = { port: 1, errors: [{ where: 'body', path: '/a', message: 'bad' }] };
    const sent = new DualhomeError(code, { detail: 'this time', facts });
    const json: unknown = JSON.parse(JSON.stringify(problemOf(sent, 'r1')));
    expect(json).toMatchObject({
      type: `urn:dualhome:error:${code}`,
      status: sent.definition.http,
      instance: 'r1',
    });
    expect(errorOfProblem(json, 500)).toMatchObject({ code, detail: 'this time', facts });
  });

  test('an answer without problem details is not one of this API', () => {
    expect(errorOfProblem('<html>', 502)).toMatchObject({
      code: 'API_ANSWER_INVALID',
      facts: { status: 502 },
    });
  });

  test('a code of a later version is told by its title', () => {
    const later = {
      ...problemOf(new DualhomeError('API_INTERNAL')),
      type: 'urn:dualhome:error:NEW',
      title: 'New.',
    };
    expect(errorOfProblem(later, 409)).toMatchObject({ code: 'API_ANSWER_INVALID', detail: 'New.' });
  });

  test('a code is looked up, not evaluated', () => {
    const odd = { ...problemOf(new DualhomeError('API_INTERNAL')), type: 'urn:dualhome:error:constructor' };
    expect(errorOfProblem(odd, 500)).toMatchObject({ code: 'API_ANSWER_INVALID' });
  });
});

describe('what the network threw', () => {
  const thrown = (code: string) => Object.assign(new Error(code), { code });

  test.each([
    ['ECONNREFUSED', 'API_UNREACHABLE'],
    ['ECONNRESET', 'API_UNREACHABLE'],
    ['ENOTFOUND', 'API_UNREACHABLE'],
    ['CERT_HAS_EXPIRED', 'TLS_CERTIFICATE_EXPIRED'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'TLS_CERTIFICATE_UNTRUSTED'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS_CERTIFICATE_UNTRUSTED'],
    ['HPE_INVALID_CONSTANT', 'API_ANSWER_INVALID'],
    ['EPROTO', 'API_ANSWER_INVALID'],
  ])('%s is %s', (code, registered) => {
    expect(networkErrorOf(thrown(code), 'http://api')).toMatchObject({ code: registered, facts: { code } });
  });

  test('a defect stays a defect', () => {
    const defect = new TypeError('x is not a function');
    expect(networkErrorOf(defect, 'http://api')).toBe(defect);
  });
});
