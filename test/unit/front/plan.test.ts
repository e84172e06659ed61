import { describe, expect, it } from 'vitest';
import { planDevices, planRoute, targetOf } from '../../../services/front/calls/plan.ts';
import type { Surroundings } from '../../../services/front/calls/plan.ts';
import { aBinding, flowTo, peerFlowTo } from '../../support/call-tester.ts';

const calm: Surroundings = {
  site: 'c1',
  isFromPeer: false,
  isPeerAlive: () => true,
  isLinkUp: () => true,
  isHopAlive: () => true,
};
const bob = { aor: 'bob@example.com', homeSite: 'c2', backupSite: 'c1' };
const atHome = [{ kind: 'peer', site: 'c2', aor: bob.aor, binding: null }];

describe('the ways to devices', () => {
  const bindings = [aBinding('desk', 'c2'), aBinding('cell'), aBinding('desk')];

  it('are one chain a device, its latest binding first', () => {
    expect(planDevices(bob, bindings, calm)).toEqual([
      [peerFlowTo('desk'), flowTo('desk')],
      [flowTo('cell')],
    ]);
  });

  it('lead to no peer where the request came from one', () => {
    expect(planDevices(bob, bindings, { ...calm, isFromPeer: true })).toEqual([
      [flowTo('cell')],
      [flowTo('desk')],
    ]);
    const down = { ...calm, isFromPeer: true, isLinkUp: () => false };
    expect(planDevices(bob, [aBinding('desk', 'c2')], down)).toEqual([]);
  });

  it('lead to flows known at the peer though the link is down', () => {
    expect(planDevices(bob, [aBinding('desk', 'c2')], { ...calm, isLinkUp: () => false })).toEqual([
      [peerFlowTo('desk')],
    ]);
  });

  it('lead to the other site once, where the link is down and no device is known', () => {
    expect(planDevices(bob, [], calm)).toEqual([]);
    expect(planDevices(bob, [], { ...calm, isLinkUp: () => false })).toEqual([atHome]);
    expect(
      planDevices({ ...bob, homeSite: 'c1', backupSite: 'c2' }, [], { ...calm, isLinkUp: () => false }),
    ).toEqual([atHome]);
    expect(planDevices({ ...bob, backupSite: null }, [], { ...calm, isLinkUp: () => false })).toEqual([
      atHome,
    ]);
  });

  it('leave out a peer whose front is dead', () => {
    const dead = { ...calm, isPeerAlive: () => false, isLinkUp: () => false };
    expect(planDevices(bob, bindings, dead)).toEqual([[flowTo('cell')], [flowTo('desk')]]);
    expect(planDevices(bob, [], dead)).toEqual([]);
    expect(targetOf(aBinding('desk', 'c2'), dead)).toBeUndefined();
  });
});

describe('the way out by a route', () => {
  const route = {
    prefix: '+',
    class: 'all',
    nextHops: [
      { uri: 'sip:a', probe: true },
      { uri: 'sip:b', probe: true },
      { uri: 'sip:c', probe: false },
    ],
  };
  const uris = (isHopAlive: (uri: string) => boolean) =>
    planRoute(route, { ...calm, isHopAlive })?.map((target) => target.kind === 'next-hop' && target.uri);

  it('skips next hops that are dead; one that is not probed counts as alive', () => {
    expect(uris(() => true)).toEqual(['sip:a', 'sip:b', 'sip:c']);
    expect(uris((uri) => uri === 'sip:b')).toEqual(['sip:b', 'sip:c']);
  });

  it('is none where all are dead', () => {
    expect(
      planRoute(
        { ...route, nextHops: [{ uri: 'sip:a', probe: true }] },
        { ...calm, isHopAlive: () => false },
      ),
    ).toBeUndefined();
  });
});
