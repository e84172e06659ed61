import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import { asRegistered, judge } from '../../../services/synchronizer/apply/failure.ts';

const refused = (code: string): DatabaseError => {
  const error = new DatabaseError('refused', 1, 'error');
  error.code = code;
  error.severity = 'ERROR';
  return error;
};

describe('the verdict on a failure', () => {
  it.each([
    'POSTGRES_UNREACHABLE',
    'POSTGRES_COMMIT_UNKNOWN',
    'POSTGRES_OUT_OF_RESOURCES',
    'LOG_FENCED',
    'FILES_INVALID',
  ] as const)('is to wait and begin anew after %s, whatever it happened to', (code) => {
    expect(judge(new DualhomeError(code), true)).toBe('wait');
    expect(judge(new DualhomeError(code), false)).toBe('wait');
  });

  it.each(['EVENT_UNREADABLE', 'LOG_BROKEN'] as const)('of a batch puts %s down to an event', (code) => {
    expect(judge(new DualhomeError(code), true)).toBe('event');
  });

  it('puts what the database refuses down to an event only if there was one', () => {
    const error = refused('23502');
    expect(judge(error, true)).toBe('event');
    expect(asRegistered(error, true)).toMatchObject({ code: 'LINK_EVENT_REFUSED', detail: 'refused' });
    expect(judge(refused('55000'), false)).toBe('wait');
    expect(asRegistered(refused('55000'), false)).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
  });

  it('is to try again after a lost race in the database', () => {
    expect(judge(refused('40P01'), true)).toBe('wait');
  });

  it('waits for the log of the peer to change where histories do not fit', () => {
    expect(judge(new DualhomeError('LINK_FORKED'), false)).toBe('mismatch');
  });

  it('does not hide a defect', () => {
    expect(() => asRegistered(new TypeError('a defect'), false)).toThrow('a defect');
  });
});
