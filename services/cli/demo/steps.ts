import { errorFacts } from '../output/output.ts';
import type { Output } from '../output/output.ts';
import { formatDuration } from '../output/format.ts';
import { withProgress } from '../output/progress.ts';
import type { OnProgress } from '../output/progress.ts';

/** What a step found out: positions, counts, results. */
export type StepFacts = Readonly<Record<string, unknown>>;

/** One step of the tour as its JSON has it. */
export type StepResult = { readonly name: string; readonly ok: boolean; readonly ms: number } & StepFacts;

/** Runs the steps of a tour one after the other, shows each, and keeps what each found out. */
export class Steps {
  readonly results: StepResult[] = [];
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  get ok(): boolean {
    return this.results.length > 0 && this.results.every(({ ok }) => ok);
  }

  /** Runs one; what it throws is kept as its result and thrown on. `say` puts its facts in words. */
  async run<F extends StepFacts>(
    name: string,
    title: string,
    work: (onProgress: OnProgress) => Promise<F>,
    say: (facts: F) => string = () => '',
  ): Promise<F> {
    const startedMs = performance.now();
    try {
      const facts = await withProgress(this.#out, title, work);
      const ms = Math.round(performance.now() - startedMs);
      this.results.push({ name, ok: true, ms, ...facts });
      this.#show('green', 'ok', title, ms, say(facts));
      return facts;
    } catch (error) {
      const ms = Math.round(performance.now() - startedMs);
      this.results.push({ name, ok: false, ms, ...errorFacts(error) });
      this.#show('red', 'FAILED', title, ms, '');
      throw error;
    }
  }

  #show(colour: 'green' | 'red', word: string, title: string, ms: number, words: string): void {
    const took = this.#out.style('dim', formatDuration(ms).padStart(8));
    process.stdout.write(
      `${this.#out.style(colour, word.padEnd(6))} ${took}  ${title}${words && `: ${words}`}\n`,
    );
  }
}
