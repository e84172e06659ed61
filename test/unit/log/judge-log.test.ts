import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../../services/log/judge-log.ts';
import type { LogEvidence } from '../../../services/log/judge-log.ts';
import { genesisHash } from '../../../services/protocol/position.ts';

const incarnation = '11111111-1111-4111-8111-111111111111';
const hash = Buffer.alloc(32, 7);
const origin = { systemIdentifier: '1', timeline: 1 };
const at = (seq: number) => ({ incarnation, seq, hash: seq === 0 ? genesisHash : hash });

const written: LogEvidence = {
  head: at(9),
  server: origin,
  recorded: origin,
  witness: at(7),
  hashAtWitness: hash,
};

const restored = { restored: expect.any(String) };

describe('a log that is opened', () => {
  it.each<[string, Partial<LogEvidence>, unknown]>([
    ['goes on where it was left', {}, 'continued'],
    [
      'goes on without its witness, whose file may be lost',
      { witness: undefined, hashAtWitness: undefined },
      'continued',
    ],
    ['is new when nothing was ever written', { head: at(0), recorded: undefined, witness: undefined }, 'new'],
    ['was emptied when a witness has seen events', { head: at(0), recorded: undefined }, restored],
    ['was rolled back when it ends before the witness', { head: at(6), hashAtWitness: undefined }, restored],
    [
      'was replaced when the event at the witness is another',
      { hashAtWitness: Buffer.alloc(32, 8) },
      restored,
    ],
    ['was copied when it was never written here', { recorded: undefined }, restored],
    [
      'was moved when the data directory is another',
      { server: { systemIdentifier: '2', timeline: 1 } },
      restored,
    ],
    [
      'was recovered when the timeline is another',
      { server: { systemIdentifier: '1', timeline: 2 } },
      restored,
    ],
  ])('%s', (_name, evidence, verdict) => {
    expect(judgeLog({ ...written, ...evidence })).toEqual(verdict);
  });
});
