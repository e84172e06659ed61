/** What a registration is granted. */
export type RegisterLimits = {
  readonly expiresSeconds: { readonly min: number; readonly max: number; readonly default: number };
  readonly contactsMax: number;
};

const fallback = { min: 60, default: 3_600, max: 7_200, backup: 120, contacts: 10 } as const;
const secondsMax = 604_800;
const contactsUpperMax = 100;

/**
 * Limits by the environment parameters `register.*`. At a standby `register.backup_expires` bounds them: a device at its
 * backup is seen again soon, so that it can be sent home without waiting for an hour granted before.
 */
export function registerLimits(
  environment: ReadonlyMap<string, string>,
  role: 'home' | 'standby',
): RegisterLimits {
  const seconds = (name: string, otherwise: number): number =>
    wholeNumber(environment.get(name), secondsMax) ?? otherwise;
  const upper =
    role === 'home'
      ? seconds('register.expires.max', fallback.max)
      : seconds('register.backup_expires', fallback.backup);
  const lower = seconds('register.expires.min', fallback.min);
  const between = seconds('register.expires.default', fallback.default);
  const min = Math.min(lower, upper);
  return {
    expiresSeconds: { min, max: upper, default: Math.max(min, Math.min(between, upper)) },
    contactsMax: wholeNumber(environment.get('register.contacts_max'), contactsUpperMax) ?? fallback.contacts,
  };
}

/** 1 to `max`; undefined for anything else, as if it were not set. */
function wholeNumber(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^[1-9][0-9]{0,6}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
