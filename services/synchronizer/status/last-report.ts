import { join } from 'node:path';
import { z } from 'zod';
import { reportSchema } from '../../protocol/link/report.ts';
import type { HoldReport, Report, SendReport } from '../../protocol/link/report.ts';
import type { LogName } from '../../protocol/names.ts';
import { readJsonFile, writeJsonFile } from '../../platform/files/json.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Said } from './direction.ts';

const fileSchema = z.object({ at: z.iso.datetime(), report: reportSchema });

/** What is lost of it in a crash is made up for by the next heartbeat. */
const writeEveryMs = 10_000;

/**
 * What the peer said last. It is kept in a file too, so that it can still be shown, with its age,
 * by a program that was started while the peer was already gone.
 */
export class LastReport implements AsyncDisposable {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #report: Report | undefined;
  #heardAtMs = 0;
  #writtenAtMs = -Infinity;
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, peer: string, clock: Clock, onError: (error: unknown) => void) {
    this.#path = join(directory, `${peer}.json`);
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Takes up what an earlier run of the program has heard; by the host's clock, since it was another run. */
  async read(): Promise<void> {
    const kept = await readJsonFile(this.#path, fileSchema).catch(this.#onError);
    if (!kept) return;
    this.#report = kept.report;
    this.#heardAtMs = this.#clock.monotonicMs() - Math.max(0, this.#clock.nowMs() - Date.parse(kept.at));
  }

  hear(report: Report): void {
    this.#report = report;
    this.#heardAtMs = this.#clock.monotonicMs();
    if (this.#heardAtMs - this.#writtenAtMs >= writeEveryMs) void this.#write();
  }

  sendsOf(log: LogName): Said<SendReport> | undefined {
    return this.#said(this.#report?.sends.find((report) => report.log === log));
  }

  holdsOf(log: LogName): Said<HoldReport> | undefined {
    return this.#said(this.#report?.holds.find((report) => report.log === log));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#write();
  }

  #said<T>(report: T | undefined): Said<T> | undefined {
    return report && { report, ageMs: this.#clock.monotonicMs() - this.#heardAtMs };
  }

  #write(): Promise<void> {
    this.#writtenAtMs = this.#clock.monotonicMs();
    this.#writing = this.#writing.then(async () => {
      if (!this.#report) return;
      const agoMs = this.#clock.monotonicMs() - this.#heardAtMs;
      const at = new Date(this.#clock.nowMs() - agoMs).toISOString();
      await writeJsonFile(this.#path, { at, report: this.#report }).catch(this.#onError);
    });
    return this.#writing;
  }
}
