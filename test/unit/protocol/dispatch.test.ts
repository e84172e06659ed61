import { describe, expect, it } from 'vitest';
import { sourceText } from '../../../services/protocol/dispatch/common.ts';
import {
  dispatchVersion,
  lineBytesMax,
  processorMessageSchema,
  questionSchema,
} from '../../../services/protocol/dispatch/messages.ts';

const facts = {
  kind: 'register',
  party: { user: 'alice', host: 'c1.example' },
  credentials: null,
  source: { transport: 'udp', address: '192.0.2.1', port: 5060 },
  instance: null,
  contactHost: '192.0.2.1:5060',
};

describe('what front and processor say to each other', () => {
  it('is understood as it was said', () => {
    const question = { id: 7, facts };
    expect(questionSchema.parse(JSON.parse(JSON.stringify(question)))).toEqual(question);
    const hello = { kind: 'hello', version: dispatchVersion, owner: 'c1', role: 'home' };
    expect(processorMessageSchema.parse(hello)).toEqual(hello);
  });

  it('has bounds, so that the largest message fits a line', () => {
    const widest = { ...facts, party: { user: 'u'.repeat(256), host: 'h'.repeat(260) } };
    expect(JSON.stringify({ id: 1, facts: widest }).length).toBeLessThan(lineBytesMax);
    expect(questionSchema.safeParse({ id: 1, facts: { ...facts, instance: 'i'.repeat(257) } }).success).toBe(
      false,
    );
  });

  it('is refused where a kind is unknown or a field is added', () => {
    expect(questionSchema.safeParse({ id: 1, facts: { ...facts, kind: 'guess' } }).success).toBe(false);
    expect(processorMessageSchema.safeParse({ kind: 'state', serving: true, reason: null }).success).toBe(
      false,
    );
    expect(questionSchema.safeParse({ id: 1, facts, more: true }).success).toBe(false);
  });

  it('names a source as screens show it', () => {
    expect(sourceText({ transport: 'tls', address: '2001:db8::1', port: 5061 })).toBe(
      'tls:[2001:db8::1]:5061',
    );
  });
});
