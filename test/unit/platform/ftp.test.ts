import { FTPError } from 'basic-ftp';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../services/platform/ftp/client/failure.ts';
import type { SessionPhase } from '../../../services/platform/ftp/client/failure.ts';
import { Slots } from '../../../services/platform/ftp/client/slots.ts';
import { isFileName } from '../../../services/platform/ftp/file-name.ts';
import { LineReader } from '../../../services/platform/ftp/server/line-reader.ts';
import { PortRotation } from '../../../services/platform/ftp/server/passive-ports.ts';
import { ReplyError, replyErrorOf } from '../../../services/platform/ftp/server/reply-error.ts';

const never = new AbortController().signal;

describe('a line reader', () => {
  it('gives the same lines however the bytes are cut into packets', () => {
    const line = fc.string({ unit: fc.constantFrom('a', ' ', '\r', 'é'), maxLength: 10 });
    const property = fc.property(
      fc.array(fc.tuple(line, fc.constantFrom('\r\n', '\n'))),
      line,
      fc.array(fc.nat({ max: 30 })),
      (lines, rest, cuts) => {
        const bytes = Buffer.from(lines.flat().join('') + rest, 'latin1');
        const whole = new LineReader(1_000).push(bytes);
        const reader = new LineReader(1_000);
        const pieces: string[] = [];
        let at = 0;
        for (const length of [...cuts, bytes.length]) {
          pieces.push(...reader.push(bytes.subarray(at, at + length)));
          at += length;
        }
        expect(pieces).toEqual(whole);
        expect(whole).toHaveLength(lines.length);
      },
    );
    fc.assert(property);
  });

  it('refuses a line that is too long, finished or not', () => {
    expect(new LineReader(4).push(Buffer.from('abcd\r\n'))).toEqual(['abcd']);
    expect(() => new LineReader(4).push(Buffer.from('abcde\r\n'))).toThrow('more than 4 bytes');
    const reader = new LineReader(4);
    expect(reader.push(Buffer.from('abc'))).toEqual([]);
    expect(() => reader.push(Buffer.from('de'))).toThrow('more than 4 bytes');
  });
});

it.each([
  ['c1-subscribers-0001.zst.part', true],
  ['a', true],
  ['', false],
  ['.', false],
  ['..', false],
  ['-rf', false],
  ['A', false],
  ['a b', false],
  ['a"b', false],
  ['a/b', false],
  ['a\\b', false],
  ['a\n', false],
  ['ä', false],
  ['a'.repeat(129), false],
])('%j is a file name: %s', (name, expected) => {
  expect(isFileName(name)).toBe(expected);
});

it('passive ports are given in turn, each once per search', () => {
  const ports = new PortRotation({ min: 5, max: 7 });
  expect([...ports.candidates()]).toEqual([6, 7, 5]);
  expect(ports.candidates().next().value).toBe(6);
  expect([...ports.candidates()]).toEqual([7, 5, 6]);
  expect([...new PortRotation().candidates()]).toEqual([0]);
});

it('a reply tells the kind of a file error, never its path', () => {
  const error = (code: string) => Object.assign(new Error(`${code}: '/secret/path'`), { code });
  const codes = ['ENOENT', 'EACCES', 'ELOOP', 'ENOSPC', 'EFBIG', 'EIO'].map((code) =>
    replyErrorOf(error(code)),
  );
  expect(codes.map(({ code }) => code)).toEqual([550, 550, 550, 452, 552, 451]);
  expect(codes.map(({ message }) => message).join(' ')).not.toContain('secret');
  const own = new ReplyError(426, 'File taken over');
  expect(replyErrorOf(own)).toBe(own);
});

describe('a failure of the client', () => {
  const coded = (code: string) => Object.assign(new Error(code), { code });
  const cases: readonly [error: Error, phase: SessionPhase, code: string, retry: string][] = [
    [new FTPError({ code: 530, message: '530 no' }), 'opening', 'FTP_LOGIN_REFUSED', 'no'],
    [new FTPError({ code: 421, message: '421 busy' }), 'opening', 'FTP_BUSY', 'yes'],
    [new FTPError({ code: 426, message: '426 broke' }), 'open', 'FTP_BUSY', 'yes'],
    [new FTPError({ code: 452, message: '452 full' }), 'open', 'FTP_STORAGE_FULL', 'later'],
    [new FTPError({ code: 552, message: '552 full' }), 'open', 'FTP_STORAGE_FULL', 'later'],
    [new FTPError({ code: 550, message: '550 no' }), 'open', 'FTP_COMMAND_REFUSED', 'no'],
    [coded('ECONNREFUSED'), 'opening', 'FTP_UNREACHABLE', 'yes'],
    [coded('ENOTFOUND'), 'opening', 'FTP_UNREACHABLE', 'yes'],
    [new Error('Timeout (control socket)'), 'open', 'FTP_UNREACHABLE', 'yes'],
    [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'opening', 'FTP_TLS_REFUSED', 'no'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'opening', 'FTP_TLS_REFUSED', 'no'],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'opening', 'FTP_TLS_REFUSED', 'no'],
    [coded('ERR_SSL_BAD_RECORD_TYPE'), 'open', 'FTP_UNREACHABLE', 'yes'],
    [coded('ENOENT'), 'open', 'FTP_LOCAL_FILE', 'later'],
    [coded('ENOSPC'), 'open', 'FTP_LOCAL_FILE', 'later'],
  ];
  it.each(cases)('%s while %s is %s, retry %s', (error, phase, code, retry) => {
    const failure = failureOf(error, phase, { host: 'h' });
    expect([failure.code, failure.definition.retry, failure.cause]).toEqual([code, retry, error]);
  });
});

describe('slots', () => {
  it('are given in the order they were asked for, never more than there are', async () => {
    const slots = new Slots(2);
    const order: number[] = [];
    const first = await slots.take(never);
    const second = await slots.take(never);
    const waiting = [3, 4].map(async (n) => {
      using _slot = await slots.take(never);
      order.push(n);
    });
    expect(order).toEqual([]);
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    await Promise.all(waiting);
    expect(order).toEqual([3, 4]);
  });

  it('are not lost to who stopped waiting', async () => {
    const slots = new Slots(1);
    const first = await slots.take(never);
    const aborter = new AbortController();
    const given = slots.take(aborter.signal);
    const reason = new Error('enough');
    aborter.abort(reason);
    await expect(given).rejects.toBe(reason);
    await expect(slots.take(aborter.signal)).rejects.toBe(reason);
    first[Symbol.dispose]();
    using _again = await slots.take(never);
  });
});
