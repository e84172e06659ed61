import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { defaultLimits } from '../../services/sip/message/limits.ts';
import { corpus } from '../support/sip-messages.ts';
import { SipExercise } from './exercise-sip.ts';
import { mutate, pathological, seededRandom } from './mutate.ts';

/** More CPU time for one message than this counts as a hang; the longest ones take a twentieth of it. */
export const slowMs = 500;

/** What a run was like; a fault ends it by throwing. */
type FuzzReport = {
  readonly messages: number;
  /** CPU time of the slowest message. */
  readonly slowestMs: number;
  /** Heap after the run less heap after its first tenth. */
  readonly grownBytes: number;
};

/** Puts `messages` mutations of the torture messages through the SIP core. The same seed gives the same messages. */
export function fuzzSip(
  messages: number,
  seed: number,
  onProgress: (done: number) => void = () => {},
): FuzzReport {
  const exercise = new SipExercise();
  const random = seededRandom(seed);
  const originals = [...corpus.values()];
  let slowestMs = 0;
  const run = (bytes: Buffer, name: string) => {
    const before = process.threadCpuUsage();
    try {
      exercise.run(bytes, random);
    } catch (cause) {
      throw new Error(`${name}: ${bytes.toString('base64').slice(0, 8_000)}`, { cause });
    }
    const { user, system } = process.threadCpuUsage(before);
    slowestMs = Math.max(slowestMs, (user + system) / 1000);
  };
  for (const bytes of pathological(defaultLimits.headBytesMax - 6_000)) run(bytes, 'pathological message');
  let heapAfterTenth = 0;
  for (let done = 0; done < messages; done++) {
    if (done === Math.ceil(messages / 10)) heapAfterTenth = heapBytes();
    run(mutate(originals, random), `message ${done} of seed ${seed}`);
    if (done % 100_000 === 0) onProgress(done);
  }
  return { messages, slowestMs, grownBytes: heapBytes() - heapAfterTenth };
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** `node test/fuzz/sip.ts [--messages N] [--seed N]`: exits with 1 on a crash, a hang or growth. */
function main(): void {
  const { values } = parseArgs({ options: { messages: { type: 'string' }, seed: { type: 'string' } } });
  const startedMs = performance.now();
  const report = fuzzSip(Number(values.messages ?? 1_000_000), Number(values.seed ?? Date.now()), (done) => {
    process.stdout.write(`\r${done} messages`);
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const { messages, slowestMs, grownBytes } = report;
  process.stdout.write(
    `\r${messages} messages in ${seconds.toFixed(1)} s, slowest ${slowestMs.toFixed(1)} ms of CPU, heap grew by ${(grownBytes / 2 ** 20).toFixed(1)} MiB\n`,
  );
  if (slowestMs > slowMs || grownBytes > 16 * 2 ** 20) process.exitCode = 1;
}

if (import.meta.main) main();
