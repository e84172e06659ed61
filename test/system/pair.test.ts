import { describe, expect, it } from 'vitest';
import { subscriber } from '../../services/model/subscriber.ts';
import { aSubscriber } from '../support/builders.ts';
import { TwoSites } from '../support/two-sites.ts';

describe('a pair', () => {
  it('brings every change of a site to the standby of the other, both ways', async () => {
    await using pair = await TwoSites.start();
    const { c1, c2 } = pair;
    const { seq } = await c1.put(subscriber, aSubscriber(1, { display_name: 'Ada' }));
    await c2.waitApplied('c1', seq);
    const { rows } = await (
      await c2.database('standby_c1')
    ).query('select aor, display_name, seq from subscribers');
    expect(rows).toEqual([{ aor: aSubscriber(1)['aor'], display_name: 'Ada', seq }]);
    expect(await c2.applied('c1')).toEqual(await c1.head());

    const back = await c2.put(subscriber, aSubscriber(2, { home_site: 'c2' }));
    await c1.waitApplied('c2', back.seq);
    expect(await c1.applied('c2')).toEqual(await c2.head());
  });
});
