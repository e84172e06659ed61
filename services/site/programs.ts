import type { SiteConfig } from './config/schema.ts';

/** A program of a site: which of `services` it is, and what it is called where it runs. */
export type PlannedProgram = {
  /** `api`, `processor-home`, `processor-standby-c2`. */
  readonly name: string;
  readonly program: 'synchronizer' | 'processor' | 'front' | 'api';
  /** Whose subscribers a standby processor serves. */
  readonly peer?: string | undefined;
};

/**
 * Programs of a site, in the order in which they start; they stop in the opposite one, the api first. Without a `sip`
 * section nobody asks processors.
 */
export function plannedPrograms({ sip, peers }: SiteConfig): readonly PlannedProgram[] {
  const standbys = peers.filter(({ receives }) => receives);
  const telephony: readonly PlannedProgram[] = [
    { name: homeProcessor, program: 'processor' },
    ...standbys.map(({ name: peer }) => ({
      name: standbyProcessor(peer),
      program: 'processor' as const,
      peer,
    })),
    { name: 'front', program: 'front' },
  ];
  return [
    { name: 'synchronizer', program: 'synchronizer' },
    ...(sip ? telephony : []),
    { name: 'api', program: 'api' },
  ];
}

export const homeProcessor = 'processor-home';

export function standbyProcessor(peer: string): string {
  return `processor-standby-${peer}`;
}
