import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { NetworkNamespace } from '../network-namespace.ts';
import { TemporaryDirectory } from '../temporary-directory.ts';
import { ExternalProgram } from './external-program.ts';
import type { ForeignPhone } from './foreign-phone.ts';
import { formatSipAddress } from './sip-address.ts';
import type { SipAddress } from './sip-address.ts';
import { aorOf } from './users.ts';
import type { SipUser } from './users.ts';

export type BaresipOptions = {
  readonly user: SipUser;
  /** One or two, each registered with (RFC 5626: reg-id 1 and 2); calls go to the first. */
  readonly sites: readonly SipAddress[];
  /** It refuses to use loopback. */
  readonly network: NetworkNamespace;
  readonly expiresS?: number | undefined;
};

const expiresS = 60;

/** The console phone baresip; it takes every call. */
export class Baresip implements ForeignPhone {
  readonly #program: ExternalProgram;
  readonly #stack: AsyncDisposableStack;

  private constructor(program: ExternalProgram, stack: AsyncDisposableStack) {
    this.#program = program;
    this.#stack = stack;
  }

  /** Starts it; it begins to register at once. */
  static async start(options: BaresipOptions): Promise<Baresip> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await TemporaryDirectory.create());
    for (const [name, text] of Object.entries({
      config,
      accounts: accountOf(options),
      contacts: '',
      uuid: randomUUID(),
    }))
      await writeFile(directory.file(name), text);
    const program = stack.use(
      new ExternalProgram('baresip', {
        args: ['-f', directory.path],
        directory: directory.path,
        network: options.network,
      }),
    );
    await program.saw(/baresip is ready/);
    return new Baresip(program, stack.move());
  }

  /** Waits until the registration with this `reg-id` was accepted. */
  async registered(regId: 1 | 2 = 1): Promise<void> {
    await this.#program.saw(new RegExp(`\\{${regId}/UDP/v4\\} 200 OK`));
  }

  /** Calls and waits until the call was taken. */
  async call(uri: string): Promise<void> {
    this.#program.type(`/dial ${uri}`);
    await this.#program.sawNext(/Call established/);
  }

  /** Waits until a call came and was taken. */
  async answered(): Promise<void> {
    await this.#program.sawNext(/answering call/);
  }

  /** Waits until the other one has ended the call. */
  async hungUp(): Promise<void> {
    await this.#program.sawNext(/session closed:/);
  }

  /** Ends the call. */
  hangUp(): void {
    this.#program.type('/hangup');
  }

  /** Takes its registrations back and ends. */
  async quit(): Promise<void> {
    this.#program.type('/quit');
    await this.#program.exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const config = `
poll_method epoll
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
audio_player aubridge,nil
audio_source aubridge,nil
`;

function accountOf({ user, sites, expiresS: expires = expiresS }: BaresipOptions): string {
  const parameters = {
    auth_user: user.name,
    auth_pass: user.password,
    sipnat: 'outbound',
    ...Object.fromEntries(
      sites.map((site, i) => [i === 0 ? 'outbound' : 'outbound2', `"sip:${formatSipAddress(site)}"`]),
    ),
    regint: expires,
    answermode: 'auto',
  };
  const text = Object.entries(parameters).map(([name, value]) => `;${name}=${value}`);
  return `<sip:${aorOf(user)}>${text.join('')}\n`;
}
