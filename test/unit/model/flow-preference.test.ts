import { describe, expect, it } from 'vitest';
import { rankBindings, seenText } from '../../../services/model/flow-preference.ts';
import type { Begun, Binding } from '../../../services/model/flow-preference.ts';

const first = '11111111-1111-4111-8111-111111111111';
const second = '22222222-2222-4222-8222-222222222222';

const once = (): readonly Begun[] => [{ incarnation: first, firstSeq: 1 }];

type Wish = Partial<Binding['row']> & { readonly site: string; readonly seq: number };

const binding = ({ site, seq, ...row }: Wish): Binding => ({
  site,
  seq,
  row: { key: 'k', seen: [], gone: false, registered_at: '2026-11-25T08:00:00.000Z', ...row },
});

const seen = (site: string, seq: number, incarnation = first): readonly string[] => [
  seenText({ site, incarnation, seq }),
];

/** `c2, c1 (superseded by c2)`. */
const ranked = (bindings: readonly Binding[], begun = once): string =>
  rankBindings(bindings, begun)
    .map(({ binding: { site }, supersededBy }) =>
      supersededBy ? `${site} (superseded by ${supersededBy.site})` : site,
    )
    .join(', ');

describe('of the bindings of one device', () => {
  it('the one accepted with knowledge of the other supersedes it, whatever the clocks say', () => {
    const home = binding({ site: 'c1', seq: 7, registered_at: '2026-11-25T09:00:00.000Z' });
    const moved = binding({ site: 'c2', seq: 3, seen: seen('c1', 7) });
    expect(ranked([home, moved])).toBe('c2, c1 (superseded by c2)');
  });

  it('one that was renewed afterwards is not superseded any more', () => {
    const moved = binding({ site: 'c2', seq: 3, seen: seen('c1', 7) });
    const back = binding({ site: 'c1', seq: 8, seen: seen('c2', 3) });
    expect(ranked([back, moved])).toBe('c1, c2 (superseded by c1)');
  });

  it('those accepted without knowledge of each other are both kept, the latest first', () => {
    const one = binding({ site: 'c1', seq: 8, seen: seen('c2', 2) });
    const other = binding({
      site: 'c2',
      seq: 3,
      seen: seen('c1', 7),
      registered_at: '2026-11-25T08:00:01.000Z',
    });
    expect(ranked([one, other])).toBe('c2, c1');
    expect(ranked([other, one])).toBe('c2, c1');
  });

  it('of the same moment the order is the same at both sites', () => {
    const [one, other] = [binding({ site: 'c1', seq: 8 }), binding({ site: 'c2', seq: 3 })];
    expect(ranked([one, other])).toBe('c1, c2');
    expect(ranked([other, one])).toBe('c1, c2');
  });

  it('a deregistration supersedes what it knew of, and is not shown', () => {
    const home = binding({ site: 'c1', seq: 7 });
    expect(ranked([home, binding({ site: 'c2', seq: 3, gone: true, seen: seen('c1', 7) })])).toBe(
      'c1 (superseded by c2)',
    );
    expect(ranked([home, binding({ site: 'c2', seq: 3, gone: true, seen: seen('c1', 6) })])).toBe('c1');
  });

  it('what was seen of a history that was given up says nothing of events of the next one', () => {
    const begun = (): readonly Begun[] => [
      { incarnation: first, firstSeq: 1 },
      { incarnation: second, firstSeq: 91 },
    ];
    const moved = binding({ site: 'c2', seq: 3, seen: seen('c1', 100) });
    expect(ranked([binding({ site: 'c1', seq: 95 }), moved], begun)).toBe('c1, c2');
    expect(ranked([binding({ site: 'c1', seq: 85 }), moved], begun)).toBe('c2, c1 (superseded by c2)');
    const later = binding({ site: 'c2', seq: 4, seen: seen('c1', 100, second) });
    expect(ranked([binding({ site: 'c1', seq: 85 }), later], begun)).toBe('c2, c1 (superseded by c2)');
    expect(ranked([binding({ site: 'c1', seq: 95 }), later], begun)).toBe('c2, c1 (superseded by c2)');
    const foreign = binding({
      site: 'c2',
      seq: 4,
      seen: seen('c1', 100, '33333333-3333-4333-8333-333333333333'),
    });
    expect(ranked([binding({ site: 'c1', seq: 85 }), foreign], begun)).toBe('c1, c2');
  });
});
