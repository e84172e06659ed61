/**
 * Versions of the link protocol this software speaks, newest and oldest.
 *
 * History: 1 - first version.
 *
 * HELLO, HEARTBEAT and BYE are understood across all versions: their known fields never change, new
 * ones are optional, unknown ones are ignored. Of every other frame a version fixes all fields. A
 * changed frame needs a new version here; `min` stays one behind `max`, so that one site of a pair
 * can be upgraded before the other.
 */
export const linkVersions = { min: 1, max: 1 } as const;

export type VersionRange = { readonly min: number; readonly max: number };

/** The newest version both sides speak, or undefined where there is none. */
export function commonVersion(one: VersionRange, other: VersionRange): number | undefined {
  const version = Math.min(one.max, other.max);
  return version >= Math.max(one.min, other.min) ? version : undefined;
}
