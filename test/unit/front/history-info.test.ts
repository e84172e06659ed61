import { describe, expect, it } from 'vitest';
import { earlierForwardings, historyInfo } from '../../../services/front/calls/history-info.ts';
import type { Forwarding } from '../../../services/front/calls/history-info.ts';
import { aRequest } from '../../support/sip-messages.ts';

const busy: Forwarding = { from: 'bob@example.com', to: 'carol@example.com', reason: 'busy' };
const always: Forwarding = { from: 'carol@example.com', to: '+49301', reason: 'always' };

describe('History-Info', () => {
  it('tells who was called first and why the call went on', () => {
    expect(historyInfo(aRequest('INVITE'), [busy, always])).toEqual([
      '<sip:bob@example.com>;index=1',
      '<sip:carol@example.com;cause=486>;index=1.1;mp=1',
      '<sip:+49301@example.com;cause=302>;index=1.1.1;mp=1.1',
    ]);
    expect(historyInfo(aRequest('INVITE'), [])).toEqual([]);
  });

  it('goes on where a third party left it, whose forwardings count', () => {
    const request = aRequest('INVITE', {
      fields: { 'History-Info': '<sip:x@c5>;index=1, <sip:bob@example.com>;index=1.1' },
    });
    expect(historyInfo(request, [busy])).toEqual(['<sip:carol@example.com;cause=486>;index=1.1.1;mp=1.1']);
    expect(earlierForwardings(request)).toBe(1);
    expect(earlierForwardings(aRequest('INVITE'))).toBe(0);
  });
});
