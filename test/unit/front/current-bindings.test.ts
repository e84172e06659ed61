import { describe, expect, it, onTestFinished } from 'vitest';
import { currentBindings } from '../../../services/front/calls/current-bindings.ts';
import type { RecordedFlow } from '../../../services/front/calls/current-bindings.ts';

const incarnation = '00000000-0000-4000-8000-000000000000';
/** Of a log that was put back to its third event and went on from there. */
const next = '11111111-1111-4111-8111-111111111111';
const begun = [{ incarnation, firstSeq: 1 }];

function aFlow(
  site: string,
  seq: number,
  { device = 'desk', regId = 0, second = 0, seen = [] as string[], gone = false } = {},
): RecordedFlow {
  const aor = 'bob@example.com';
  const row = {
    key: `${aor} ${device} ${regId}`,
    aor,
    device,
    reg_id: regId,
    owner: 'c1',
    contact: `sip:${device}@${site}`,
    path: [],
    edge: `sip:token@${site}`,
    call_id: 'c',
    cseq: 1,
    q: 1000,
    user_agent: null,
    source: 'udp:192.0.2.1:5060',
    registered_at: `2026-11-25T00:00:${String(second).padStart(2, '0')}.000Z`,
    expires_at: '2026-11-25T01:00:00.000Z',
    seen,
    gone,
  };
  return { site, seq, row };
}
const places = (flows: readonly RecordedFlow[]) =>
  currentBindings(flows, () => begun).map(({ device, site }) => `${device} ${site}`);

describe('the bindings that count', () => {
  it('are all, the latest first', () => {
    const flows = [
      aFlow('c1', 1, { second: 1 }),
      aFlow('c2', 5, { second: 2 }),
      aFlow('c1', 2, { device: 'cell' }),
    ];
    expect(places(flows)).toEqual(['desk c2', 'desk c1', 'cell c1']);
  });

  it('are not those a later binding at another site was made in knowledge of, whatever the clocks say', () => {
    const later = aFlow('c2', 9, { second: 0, seen: [`c1 ${incarnation} 4`] });
    expect(places([aFlow('c1', 4, { second: 30 }), later])).toEqual(['desk c2']);
    expect(places([aFlow('c1', 5, { second: 30 }), later])).toEqual(['desk c1', 'desk c2']);
  });

  it('are none where the binding that superseded the others is gone', () => {
    const gone = aFlow('c2', 9, { seen: [`c1 ${incarnation} 4`], gone: true });
    expect(places([aFlow('c1', 4), gone])).toEqual([]);
    expect(places([aFlow('c1', 5), gone])).toEqual(['desk c1']);
  });

  it('are both where one was made in knowledge of a history that the other is not of', () => {
    begun.push({ incarnation: next, firstSeq: 4 });
    onTestFinished(() => void begun.pop());
    const later = aFlow('c2', 9, { seen: [`c1 ${incarnation} 8`] });
    expect(places([aFlow('c1', 3), later])).toEqual(['desk c2']);
    expect(places([aFlow('c1', 5), later])).toEqual(['desk c1', 'desk c2']);
    expect(places([aFlow('c1', 5), aFlow('c2', 9, { seen: [`c1 ${next} 8`] })])).toEqual(['desk c2']);
  });

  it('are both of a device that keeps two flows (RFC 5626)', () => {
    const second = aFlow('c2', 9, { regId: 2, seen: [`c1 ${incarnation} 4`] });
    expect(places([aFlow('c1', 4, { regId: 1 }), second])).toHaveLength(2);
  });
});
