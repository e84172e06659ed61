import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { controlSchemas, FrameType } from '../../services/protocol/link/frame.ts';
import { commonVersion, linkVersions } from '../../services/protocol/link/version.ts';

/** What every frame looks like, as one text. */
function describeProtocol(): string {
  const schemas = Object.entries(controlSchemas).map(([name, schema]) => [
    name,
    z.toJSONSchema(schema, { unrepresentable: 'any' }),
  ]);
  return JSON.stringify({ types: FrameType, schemas });
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

describe('link protocol', () => {
  it('has not changed without a new version', () => {
    // A frame changed? Then the peer, which may run the released software, has to be told apart by a
    // version: raise `max` in version.ts, add a line to its history, keep reading the version before,
    // and only then enter the new hash here. HELLO, HEARTBEAT and BYE may only gain optional fields.
    const pinned: Readonly<Record<number, string>> = { 1: '08a7eb0cf5c907f9' };
    expect(pinned[linkVersions.max]).toBe(hashOf(describeProtocol()));
  });

  it('never gives a type byte two meanings', () => {
    const types = Object.values(FrameType);
    expect(new Set(types).size).toBe(types.length);
  });

  it('ignores fields it does not know in the frames that all versions share', () => {
    const moment = { wallMs: 1, monotonicMs: 1, later: 1 };
    const report = { sends: [], holds: [], later: 1 };
    const hello = { protocol: { min: 7, max: 9 }, site: 'c2', peer: 'c1', software: '9', report, later: 1 };
    expect(controlSchemas.hello.safeParse(hello).success).toBe(true);
    expect(controlSchemas.heartbeat.safeParse({ sent: moment, echo: null, report, later: 1 }).success).toBe(
      true,
    );
    expect(controlSchemas.bye.safeParse({ code: 'X', detail: '', later: 1 }).success).toBe(true);
  });

  it('is refused where a versioned frame has a field too many', () => {
    expect(
      controlSchemas.ack.safeParse({ log: 'configuration', received: 1, applied: 1, credit: 1, later: 1 })
        .success,
    ).toBe(false);
  });
});

describe('versions of the link protocol', () => {
  it.each([
    [{ min: 1, max: 1 }, { min: 1, max: 1 }, 1],
    [{ min: 1, max: 2 }, { min: 1, max: 1 }, 1],
    [{ min: 1, max: 2 }, { min: 2, max: 3 }, 2],
    [{ min: 1, max: 1 }, { min: 2, max: 3 }, undefined],
    [{ min: 4, max: 5 }, { min: 2, max: 3 }, undefined],
  ])('of %j and %j is %s, either way round', (one, other, version) => {
    expect(commonVersion(one, other)).toBe(version);
    expect(commonVersion(other, one)).toBe(version);
  });
});
