import { expect, test } from 'vitest';
import { deviceDigest } from '../../../services/front/calls/dialog-token.ts';
import type { Chain } from '../../../services/front/calls/target.ts';
import { Dialogs } from '../../../services/front/proxy/dialogs.ts';
import type { DialogsOptions } from '../../../services/front/proxy/dialogs.ts';
import { aBinding, peerFlowTo } from '../../support/call-tester.ts';

const desk = aBinding('desk', 'c2');

/** Where a request of a dialog with the desk phone, which is at c2, leads from c1. */
async function chainsTo({
  isPeerAlive,
  isFromPeer = false,
  known,
}: {
  readonly isPeerAlive: boolean;
  readonly isFromPeer?: boolean;
  readonly known?: Chain;
}): Promise<readonly Chain[]> {
  const ways: DialogsOptions['ways'] = {
    surroundings: { site: 'c1', isPeerAlive: () => isPeerAlive, isLinkUp: () => true },
    askPeers: () => known,
    onward: async () => undefined,
    flowOf: () => undefined,
  };
  const pair = { site: 'c1', keys: [], peers: [], isLinkUp: () => true } as unknown as DialogsOptions['pair'];
  const dialogs = new Dialogs({ pair, ways, bindings: { of: () => [desk] } });
  const end = { aor: desk.aor, device: deviceDigest(desk.device) };
  return await dialogs.chainsTo(
    { kind: 'dialog', end, token: '', uri: desk.contact, routes: [] },
    isFromPeer,
  );
}

test('a request within a call goes to a device at a peer that was dead when it was last probed: there is no other way', async () => {
  expect(await chainsTo({ isPeerAlive: true })).toEqual([[peerFlowTo('desk')]]);
  expect(await chainsTo({ isPeerAlive: false })).toEqual([[peerFlowTo('desk')]]);
});

test('a request within a call goes first where another peer knows of the device', async () => {
  const known: Chain = [{ ...peerFlowTo('desk'), site: 'c3', binding: null }];
  expect(await chainsTo({ isPeerAlive: false, known })).toEqual([known]);
});

test('a request within a call never goes back to a peer it came from', async () => {
  expect(await chainsTo({ isPeerAlive: false, isFromPeer: true })).toEqual([]);
});
