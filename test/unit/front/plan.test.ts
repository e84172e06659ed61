import { describe, expect, it } from 'vitest';
import { planDevices, targetOf } from '../../../services/front/calls/plan.ts';
import type { Surroundings } from '../../../services/front/calls/plan.ts';
import { aBinding, flowTo, peerFlowTo } from '../../support/call-tester.ts';

const calm: Surroundings = {
  site: 'c1',
  isPeerAlive: () => true,
  isLinkUp: () => true,
};
const bob = { aor: 'bob@example.com', homeSite: 'c2', backupSite: 'c1' };
const atHome = [{ kind: 'peer', site: 'c2', callee: { address: bob.aor, number: null }, binding: null }];

describe('the ways to devices', () => {
  const bindings = [aBinding('desk', 'c2'), aBinding('cell'), aBinding('desk')];

  it('are one chain a device, its latest binding first', () => {
    expect(planDevices(bob, bindings, calm, false)).toEqual([
      [peerFlowTo('desk'), flowTo('desk')],
      [flowTo('cell')],
    ]);
  });

  it('lead to no peer where the request came from one', () => {
    expect(planDevices(bob, bindings, calm, true)).toEqual([[flowTo('cell')], [flowTo('desk')]]);
    const down = { ...calm, isLinkUp: () => false };
    expect(planDevices(bob, [aBinding('desk', 'c2')], down, true)).toEqual([]);
  });

  it('lead to flows known at the peer though the link is down', () => {
    expect(planDevices(bob, [aBinding('desk', 'c2')], { ...calm, isLinkUp: () => false }, false)).toEqual([
      [peerFlowTo('desk')],
    ]);
  });

  it('lead to the other site once, where the link is down and no device is known', () => {
    expect(planDevices(bob, [], calm, false)).toEqual([]);
    expect(planDevices(bob, [], { ...calm, isLinkUp: () => false }, false)).toEqual([atHome]);
    expect(
      planDevices(
        { ...bob, homeSite: 'c1', backupSite: 'c2' },
        [],
        { ...calm, isLinkUp: () => false },
        false,
      ),
    ).toEqual([atHome]);
    expect(planDevices({ ...bob, backupSite: null }, [], { ...calm, isLinkUp: () => false }, false)).toEqual([
      atHome,
    ]);
  });

  it('leave out a peer whose front is dead', () => {
    const dead = { ...calm, isPeerAlive: () => false, isLinkUp: () => false };
    expect(planDevices(bob, bindings, dead, false)).toEqual([[flowTo('cell')], [flowTo('desk')]]);
    expect(planDevices(bob, [], dead, false)).toEqual([]);
    expect(targetOf(aBinding('desk', 'c2'), dead, false)).toBeUndefined();
  });
});
