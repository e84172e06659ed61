import { TemporaryDirectory } from '../temporary-directory.ts';
import { ExternalProgram } from './external-program.ts';
import { formatSipAddress } from './sip-address.ts';
import type { SipAddress } from './sip-address.ts';
import type { SipUser } from './users.ts';

/** Asks with OPTIONS; done when it was answered with 200. */
export async function sipsakOptions(target: SipAddress) {
  return await run(['-vv', '-s', `sip:${formatSipAddress(target)}`]);
}

export type SipsakRegistration = {
  readonly target: SipAddress;
  readonly user: SipUser;
  readonly contact: SipAddress;
  /** 0 takes the registration back. */
  readonly expiresS: number;
};

/** Registers with digest; it can only name the server's address as domain. What it printed says why it was refused. */
export async function sipsakRegister({ target, user, contact, expiresS }: SipsakRegistration) {
  const { name, password } = user;
  return await run([
    '-U',
    '-vv',
    `--sip-uri=sip:${name}@${formatSipAddress(target)}`,
    `--auth-username=${name}`,
    `--password=${password}`,
    `--expires=${expiresS}`,
    `--contact=sip:${name}@${formatSipAddress(contact)}`,
  ]);
}

async function run(args: readonly string[]): Promise<{ readonly isDone: boolean; readonly output: string }> {
  await using directory = await TemporaryDirectory.create();
  await using sipsak = new ExternalProgram('sipsak', { args, directory: directory.path });
  const { code } = await sipsak.exit;
  return { isDone: code === 0, output: sipsak.output };
}
