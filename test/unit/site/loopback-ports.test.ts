import { describe, expect, it } from 'vitest';
import { allot } from '../../../services/site/ports.ts';

describe('loopback ports', () => {
  it('stay the same when users come and go', () => {
    const first = allot({}, { min: 100, max: 103 }, ['home', 'shared', 'api']);
    expect(first).toEqual({ home: 100, shared: 101, api: 102 });
    const second = allot(first, { min: 100, max: 103 }, ['standby', 'home', 'api']);
    expect(second).toEqual({ standby: 101, home: 100, api: 102 });
  });

  it('outside a changed range are given anew', () => {
    expect(allot({ home: 100, api: 105 }, { min: 104, max: 106 }, ['home', 'api'])).toEqual({
      home: 104,
      api: 105,
    });
  });

  it('that run out are refused', () => {
    expect(() => allot({}, { min: 1, max: 2 }, ['a', 'b', 'c'])).toThrow('SITE_PORTS_EXHAUSTED');
  });
});
