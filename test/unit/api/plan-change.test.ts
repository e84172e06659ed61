import { describe, expect, it } from 'vitest';
import { readEvent } from '../../../services/log/events.ts';
import type { RowVersion } from '../../../services/log/row-versions.ts';
import type { Row } from '../../../services/model/table.ts';
import { subscriber } from '../../../services/model/subscriber.ts';
import type { ChangeRequest, Intent } from '../../../services/api/change/intent.ts';
import { planChange } from '../../../services/api/change/plan-change.ts';
import { aSubscriber } from '../../support/builders.ts';

const slot = { incarnation: '11111111-1111-4111-8111-111111111111', seq: 8, timeMs: 1_000 };
const present: Row = { ...aSubscriber(1, { display_name: 'Ada' }), ha1_md5: 'sealed text' };
const key = String(present['aor']);

function plan(intents: readonly Partial<Intent>[], before: Row | null = present) {
  const request: ChangeRequest = {
    kind: subscriber,
    intents: intents.map((intent) => ({
      op: 'put',
      key,
      fields: present,
      kept: [],
      where: 'body',
      ...intent,
    })),
    actor: { name: 'test', role: 'operator' },
    reason: 'why',
  };
  const version: RowVersion | undefined = before ? { row: before, seq: 5 } : undefined;
  return planChange('c1', request, (asked) => (asked === key ? version : undefined), slot);
}

/** Rows of the event that a plan makes. */
function changed(planned: ReturnType<typeof plan>) {
  if (!('change' in planned) || !planned.change) return undefined;
  const { data } = readEvent(planned.change.event.body, slot.seq);
  return 'rows' in data ? data.rows : undefined;
}

describe('a change that is planned', () => {
  it('becomes an event with the row before and after', () => {
    const planned = plan([{ fields: { ...present, display_name: 'Bo' } }]);
    expect(planned).toMatchObject({ answer: { seq: 8, rowsChanged: 1 } });
    expect(changed(planned)).toMatchObject([
      { key, before: { display_name: 'Ada' }, after: { display_name: 'Bo', ha1_md5: 'sealed text' } },
    ]);
  });

  it.each<[string, Partial<Intent>, Row | null, number]>([
    ['a put of the row as it is', { fields: { ...present } }, present, 5],
    ['a merge of what is there', { op: 'merge', fields: { display_name: 'Ada' } }, present, 5],
    ['a deletion of a row that is not there', { op: 'delete', fields: {} }, null, 0],
  ])('makes no event for %s, and answers with the seq that is there', (_name, intent, before, seq) => {
    expect(plan([intent], before)).toEqual({ answer: { seq, rowsChanged: 0 } });
  });

  it.each<[string, number, Row | null, boolean]>([
    ['the seq it has', 5, present, true],
    ['another seq', 4, present, false],
    ['no row, and there is none', 0, null, true],
    ['no row, but there is one', 0, present, false],
    ['a row, but there is none', 5, null, false],
  ])('that expects %s is accepted or refused: %i', (_name, ifSeq, before, accepted) => {
    const planned = plan([{ ifSeq, fields: { ...present, display_name: 'Bo' } }], before);
    expect('answer' in planned).toBe(accepted);
  });

  it('is refused as stale with the row as it is, its secret not shown', () => {
    expect(plan([{ ifSeq: 4 }])).toMatchObject({
      refusal: { code: 'CONFIG_STALE', facts: { current: { seq: 5, row: { ha1_md5: '[sealed]' } } } },
    });
  });

  it('keeps a secret that it shows as sealed', () => {
    const { ha1_md5: _secret, ...fields } = present;
    const planned = plan([{ fields: { ...fields, display_name: 'Bo' }, kept: ['ha1_md5'] }]);
    expect(changed(planned)).toMatchObject([{ after: { ha1_md5: 'sealed text' } }]);
  });

  it('cannot keep a secret where there is no row', () => {
    expect(plan([{ kept: ['ha1_md5'] }], null)).toMatchObject({
      refusal: { code: 'CONFIG_INVALID', facts: { errors: [{ path: '/ha1_md5' }] } },
    });
  });

  it('merges into no row only where it gives all that a row needs', () => {
    expect(plan([{ op: 'merge', fields: { aor: key } }], null)).toMatchObject({
      refusal: { code: 'CONFIG_INVALID', facts: { errors: [{ path: '/home_site' }] } },
    });
    const planned = plan([{ op: 'merge', fields: { aor: key, home_site: 'c1', ha1_md5: 'sealed' } }], null);
    expect(changed(planned)).toMatchObject([{ before: null, after: { home_site: 'c1', ha1_md5: 'sealed' } }]);
  });

  it('sees within a batch what the rows before it have done to the same key', () => {
    const planned = plan([
      { op: 'delete', fields: {} },
      { op: 'delete', fields: {} },
      { fields: { ...present, display_name: 'Bo' } },
    ]);
    expect(
      changed(planned)?.map(({ before, after }) => [before?.['display_name'], after?.['display_name']]),
    ).toEqual([
      ['Ada', undefined],
      [undefined, 'Bo'],
    ]);
  });

  it('is refused whole when one row of it is', () => {
    const planned = plan([{ fields: { ...present, display_name: 'Bo' } }, { ifSeq: 4 }]);
    expect(planned).toMatchObject({ refusal: { code: 'CONFIG_STALE' } });
  });

  it('is refused when its event would be too large', () => {
    const fields = { ...present, display_name: 'x'.repeat(1_100_000) };
    expect(plan([{ fields }])).toMatchObject({ refusal: { code: 'CONFIG_EVENT_TOO_LARGE' } });
  });
});
