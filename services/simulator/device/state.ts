/** Which of the two sites a device was given. */
export type Place = 'primary' | 'backup';

/** How a device behaves; what real phones let their owners set (Yealink, Polycom and others). */
export type Behaviour = {
  /** Between two OPTIONS to the site it is registered at. */
  readonly probeIntervalMs: number;
  /** Unanswered, or answered with 503, in a row until it moves. */
  readonly missedMax: number;
  /** Expires it asks for. */
  readonly expiresSeconds: number;
  /** Before the next round when neither site takes it; doubled each time, at most `retryMsMax`, jittered. */
  readonly retryMs: number;
  readonly retryMsMax: number;
  /** Whether it looks for its primary while it is at the backup and goes there by itself. */
  readonly returns: boolean;
};

/** What a device is about. Not an instant passes unnoticed: times are passed in. */
export type DeviceState = {
  /** Where it is registered; null for nowhere. */
  readonly at: Place | null;
  /** When it was last registered there: what was asked before says nothing any more. */
  readonly sinceMs: number;
  /** Where its REGISTER is on its way to; null where none is. */
  readonly asking: Place | null;
  /** Handshakes in a row that failed. */
  readonly missed: number;
  /** Sites in a row that did not take it. */
  readonly failures: number;
  /** Since when its site does not serve it: when the first handshake that failed was sent. */
  readonly lostSinceMs: number | null;
  readonly isStopping: boolean;
};

export const unregistered: DeviceState = {
  at: null,
  sinceMs: 0,
  asking: null,
  missed: 0,
  failures: 0,
  lostSinceMs: null,
  isStopping: false,
};

export type DeviceTimer = 'probe' | 'refresh' | 'retry';

export type DeviceInput =
  | { readonly kind: 'start' }
  /** A 200: to a REGISTER with an expiry, or to the one that ends the registration. */
  | { readonly kind: 'registered'; readonly expiresSeconds: number }
  /** Refused, unanswered, or 503. */
  | { readonly kind: 'not-registered' }
  /** `sentMs` is when the OPTIONS was sent. */
  | { readonly kind: 'probed'; readonly to: Place; readonly isServed: boolean; readonly sentMs: number }
  | { readonly kind: 'timer'; readonly timer: DeviceTimer }
  /** Told by its user. */
  | { readonly kind: 'go'; readonly to: Place }
  | { readonly kind: 'stop' };

export type DeviceOutput =
  | { readonly kind: 'register'; readonly to: Place; readonly expiresSeconds: number }
  | { readonly kind: 'probe'; readonly to: Place }
  /** Sets the timer, moving it if it runs. */
  | { readonly kind: 'set-timer'; readonly timer: DeviceTimer; readonly ms: number }
  | { readonly kind: 'clear-timers' }
  /** It is served again, by another site than before or after having been lost. */
  | { readonly kind: 'moved'; readonly from: Place | null; readonly to: Place; readonly tookMs: number };
