import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Foreign programs the suite knows, and the Debian package each comes in. */
const packages = {
  sipp: 'sip-tester',
  sipsak: 'sipsak',
  baresip: 'baresip-core',
  linphonec: 'linphone-cli',
  kamailio: 'kamailio',
  ip: 'iproute2',
} as const;

export type ForeignProgram = keyof typeof packages;

/** Where the schema of Kamailio's tables is, in a package of its own. */
export const kamailioSchemaFolder = '/usr/share/kamailio/postgres';

const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'];

/** Path of the program; undefined where it is not installed. */
export function installed(program: ForeignProgram): string | undefined {
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** Why tests with these programs cannot run here; undefined where they can. */
export function missing(...programs: readonly ForeignProgram[]): string | undefined {
  const absent: string[] = programs
    .filter((program) => !installed(program))
    .map((program) => packages[program]);
  if (programs.includes('kamailio') && !existsSync(kamailioSchemaFolder))
    absent.push('kamailio-postgres-modules');
  return absent.length > 0 ? `not installed: apt-get install ${absent.join(' ')}` : undefined;
}
