import { registeredErrorOf } from '../../platform/http/server-errors.ts';
import { isDualhomeError } from '../../protocol/errors/index.ts';
import { problemOf } from '../../protocol/errors/problem.ts';
import type { ImportDone, ImportLine } from '../../protocol/rest/import.ts';
import { refusedRowsMax } from '../../protocol/rest/import.ts';
import type { ChangeAnswer, Intent } from '../change/intent.ts';
import type { Decoder, NumberedText, Values } from './decoder.ts';
import { readBatch, refusedLines } from './read-batch.ts';
import type { RefusedLine } from './read-batch.ts';
import type { LineBatch } from './read-lines.ts';

/** Batches that wait to be durable. */
const windowMax = 4;

const PROGRESS_INTERVAL_MS = 200;

export type ImportOptions = {
  readonly batches: AsyncIterable<LineBatch>;
  readonly fromLine: number;
  /** @throws CONFIG_INVALID for a header that does not name the fields */
  readonly decoderOf: (header: string | undefined) => Decoder;
  /** @throws CONFIG_INVALID */
  readonly intentOf: (values: Values, where: string) => Intent;
  /** Makes a batch durable; undefined in a dry run. */
  readonly submit: ((intents: readonly Intent[], bytes: number) => Promise<ChangeAnswer>) | undefined;
  /** Tells the client; resolves when it keeps up. */
  readonly emit: (line: ImportLine) => Promise<void>;
};

type Submitted = {
  readonly firstLine: number;
  readonly lastLine: number;
  readonly rows: number;
  readonly answer: Promise<ChangeAnswer>;
};

/**
 * One import. Batches are read and checked while those before them are being written; their ends are told in order.
 *
 * Invariant: everything up to `line` is durable. Nothing is begun behind a batch that was refused.
 */
export class ImportRun {
  readonly #options: ImportOptions;
  /** Ends of batches that are being written, oldest first. */
  readonly #pending: Promise<void>[] = [];
  /** When all batches so far have ended. */
  #ended: Promise<void> = Promise.resolve();
  #decode: Decoder | undefined;
  #counts: { line: number; rows: number; changed: number; seq: number };
  #refused = 0;
  /** Nothing more is read. */
  #stopped = false;
  /** A batch has failed: what is durable behind it does not count as done up to there. */
  #broken = false;
  #problem: ImportDone['problem'] = null;
  #toldMs = 0;

  constructor(options: ImportOptions) {
    this.#options = options;
    this.#counts = { line: options.fromLine - 1, rows: 0, changed: 0, seq: 0 };
  }

  /** Reads to the end, to the first refusal, or until the client is gone; returns the last line of the answer. */
  async run(): Promise<ImportDone> {
    try {
      for await (const { header, lines } of this.#options.batches) {
        this.#decode ??= this.#options.decoderOf(header);
        await this.#take(lines, this.#decode);
        if (this.#stopped) break;
      }
    } catch (error) {
      this.#stop(error);
    }
    await this.#ended;
    const ok = !this.#stopped && this.#refused === 0;
    const resumeFrom = ok ? null : this.#counts.line + 1;
    return { type: 'done', ok, ...this.#counts, refused: this.#refused, resumeFrom, problem: this.#problem };
  }

  /** Ends the import for a reason that is not in its rows. */
  stop(reason: unknown): void {
    if (!this.#stopped) this.#stop(reason);
  }

  async #take(lines: readonly NumberedText[], decode: Decoder): Promise<void> {
    const { intentOf, submit } = this.#options;
    const { intents, refused } = await readBatch(lines, decode, intentOf);
    await this.#tellRefused(refused);
    const firstLine = lines[0]?.number ?? 0;
    const lastLine = lines.at(-1)?.number ?? 0;
    if (!submit) {
      this.#stopped = this.#refused >= refusedRowsMax;
      await this.#advance(lastLine, lines.length);
      return;
    }
    if (refused.length > 0) {
      this.#stopped = true;
      return;
    }
    const bytes = lines.reduce((sum, { text }) => sum + text.length, 0);
    const answer = submit(intents, bytes * 3);
    answer.catch(() => undefined);
    const batch = { firstLine, lastLine, rows: lines.length, answer };
    this.#ended = this.#ended.then(() => this.#settle(batch));
    this.#pending.push(this.#ended);
    if (this.#pending.length >= windowMax) await this.#pending.shift();
  }

  async #settle(batch: Submitted): Promise<void> {
    try {
      const { rowsChanged, seq } = await batch.answer;
      this.#counts.changed += rowsChanged;
      if (rowsChanged > 0) this.#counts.seq = seq;
      if (!this.#broken) await this.#advance(batch.lastLine, batch.rows);
    } catch (error) {
      this.#broken = true;
      await this.#refuse(error, batch.firstLine);
    }
  }

  async #advance(line: number, rows: number): Promise<void> {
    this.#counts.line = line;
    this.#counts.rows += rows;
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < PROGRESS_INTERVAL_MS) return;
    this.#toldMs = nowMs;
    await this.#options.emit({ type: 'progress', ...this.#counts });
  }

  async #refuse(error: unknown, firstLine: number): Promise<void> {
    if (isDualhomeError(error, 'CONFIG_INVALID')) {
      this.#stopped = true;
      await this.#tellRefused(refusedLines(error, firstLine));
    } else if (!this.#stopped) {
      this.#stop(error);
    }
  }

  async #tellRefused(lines: readonly RefusedLine[]): Promise<void> {
    for (const line of lines.slice(0, Math.max(0, refusedRowsMax - this.#refused)))
      await this.#options.emit(line);
    this.#refused += lines.length;
  }

  #stop(reason: unknown): void {
    this.#stopped = true;
    this.#problem = problemOf(registeredErrorOf(reason));
  }
}
