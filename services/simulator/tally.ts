import type { DeviceNews } from './device/device.ts';

/** Times in the order of size; milliseconds. */
export type Times = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** What happened to a population since it was started. */
export type Tally = {
  readonly devices: number;
  readonly atPrimary: number;
  readonly atBackup: number;
  /** Not registered, or not served where they are. */
  readonly nowhere: number;
  readonly registrations: number;
  readonly refreshes: number;
  /** Refusals by their status, and REGISTERs that nobody answered. */
  readonly refused: Readonly<Record<string, number>>;
  readonly unanswered: number;
  /** From sending a REGISTER to its 200, challenges included. */
  readonly registering: Times;
  /** From the first handshake that failed to the 200 of the site that took the device. */
  readonly moves: Times & { readonly toPrimary: number; readonly toBackup: number };
};

/** Times kept; of more, every so many is left out, so that memory stays bounded. */
const samplesMax = 100_000;

/** Counts the news of many devices. */
export class NewsCounter {
  #registrations = 0;
  #refreshes = 0;
  #unanswered = 0;
  readonly #refused = new Map<number, number>();
  readonly #registeringMs: number[] = [];
  readonly #moveMs: number[] = [];
  #toPrimary = 0;
  #toBackup = 0;

  count(news: DeviceNews): void {
    switch (news.kind) {
      case 'registered':
        if (news.isRefresh) this.#refreshes += 1;
        else this.#registrations += 1;
        keep(this.#registeringMs, news.tookMs);
        break;
      case 'refused':
        this.#refused.set(news.status, (this.#refused.get(news.status) ?? 0) + 1);
        break;
      case 'unanswered':
        this.#unanswered += 1;
        break;
      case 'moved':
        if (news.to === 'primary') this.#toPrimary += 1;
        else this.#toBackup += 1;
        keep(this.#moveMs, news.tookMs);
        break;
      case 'unregistered':
        break;
    }
  }

  tally(places: Pick<Tally, 'devices' | 'atPrimary' | 'atBackup' | 'nowhere'>): Tally {
    return {
      ...places,
      registrations: this.#registrations,
      refreshes: this.#refreshes,
      refused: Object.fromEntries(this.#refused),
      unanswered: this.#unanswered,
      registering: timesOf(this.#registeringMs),
      moves: { ...timesOf(this.#moveMs), toPrimary: this.#toPrimary, toBackup: this.#toBackup },
    };
  }
}

function keep(samples: number[], ms: number): void {
  if (samples.length < samplesMax) samples.push(ms);
  else samples[Math.floor(Math.random() * samplesMax)] = ms;
}

function timesOf(samples: readonly number[]): Times {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
