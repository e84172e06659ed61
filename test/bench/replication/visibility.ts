import type { Session } from '../../../services/platform/postgres/session.ts';
import { aorOf } from './rows.ts';

/**
 * Waits in the server, looking every 0.1 ms and sleeping in between: a client that asks without pause would take
 * one of the machine's processors away from what is measured.
 */
const waitFunction = `
  create or replace function pg_temp.until_visible(wanted_aor text, wanted_name text) returns void
  language plpgsql as $$
  begin
    loop
      perform from subscribers where aor = wanted_aor and display_name = wanted_name;
      exit when found;
      perform pg_sleep(0.0001);
    end loop;
  end $$`;

/** Sees in a database when changes have become visible. */
export class Visibility {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async in(session: Session): Promise<Visibility> {
    await session.query(waitFunction);
    return new Visibility(session);
  }

  /** Resolves when row `n` shows `displayName`. */
  async until(n: number, displayName: string): Promise<void> {
    await this.#session.query({
      name: 'bench.until-visible',
      text: 'select pg_temp.until_visible($1, $2)',
      values: [aorOf(n), displayName],
    });
  }
}

type Change = { readonly n: number; readonly displayName: string; readonly answeredMs: number };

/**
 * Follows changes in the order in which they were answered and notes when each became visible.
 * Both systems apply in commit order, so looking for the oldest is enough.
 */
export class VisibilityProbe {
  readonly #visibility: Visibility;
  readonly #changes: Change[] = [];
  readonly lagsMs: number[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(visibility: Visibility) {
    this.#visibility = visibility;
  }

  answered(n: number, displayName: string): void {
    this.#changes.push({ n, displayName, answeredMs: performance.now() });
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async run(): Promise<void> {
    for (;;) {
      const change = this.#changes.shift();
      if (change) {
        await this.#visibility.until(change.n, change.displayName);
        this.lagsMs.push(performance.now() - change.answeredMs);
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
