import type { Session } from '../../../services/platform/postgres/session.ts';
import { aorOf } from './rows.ts';

/** Asks until row `n` shows `displayName`, without pause: what it costs is the same for every system measured. */
export async function untilVisible(session: Session, n: number, displayName: string): Promise<void> {
  for (;;) {
    const { rows } = await session.query<{ display_name: string | null }>({
      name: 'bench.visible',
      text: 'select display_name from subscribers where aor = $1',
      values: [aorOf(n)],
    });
    if (rows[0]?.display_name === displayName) return;
  }
}

type Change = { readonly n: number; readonly displayName: string; readonly answeredMs: number };

/**
 * Follows changes in the order in which they were answered and notes when each became visible.
 * Both systems apply in commit order, so looking for the oldest is enough.
 */
export class VisibilityProbe {
  readonly #session: Session;
  readonly #changes: Change[] = [];
  readonly lagsMs: number[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(session: Session) {
    this.#session = session;
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
        await untilVisible(this.#session, change.n, change.displayName);
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
