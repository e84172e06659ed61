import { describe, expect, it } from 'vitest';
import { Heartbeats } from '../../../services/synchronizer/link/clock-sync.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const report = { sends: [], holds: [] };

/** Our heartbeat takes `there`, stays `stay` at the peer, and its answer takes `back`. */
async function exchange(
  own: FakeClock,
  peer: FakeClock,
  [there, stay, back]: readonly [number, number, number],
) {
  const [ours, theirs] = [new Heartbeats(own), new Heartbeats(peer)];
  const pass = async (ms: number): Promise<void> => {
    await own.advance(ms);
    await peer.advance(ms);
  };
  const first = ours.compose(report);
  await pass(there);
  theirs.receive(first);
  await pass(stay);
  const second = theirs.compose(report);
  await pass(back);
  ours.receive(second);
  return ours.clocks;
}

describe('four timestamps', () => {
  it('tell the round trip without the time the peer took', async () => {
    const clocks = await exchange(new FakeClock(), new FakeClock(), [10, 900, 20]);
    expect(clocks?.roundTripMs).toBe(30);
    expect(clocks?.clockOffsetMs).toBe(-5);
  });

  it('tell how far the clock of the peer is ahead', async () => {
    const clocks = await exchange(new FakeClock(1_000_000), new FakeClock(1_003_000), [10, 5, 10]);
    expect(clocks).toEqual({ roundTripMs: 20, clockOffsetMs: 3_000 });
  });

  it('tell nothing before the peer has heard of us', () => {
    const heartbeats = new Heartbeats(new FakeClock());
    heartbeats.receive(new Heartbeats(new FakeClock()).compose(report));
    expect(heartbeats.clocks).toBeUndefined();
  });
});
