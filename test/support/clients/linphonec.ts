import { mkdir, writeFile } from 'node:fs/promises';
import { takePortBlock } from '../../../services/site/port-block.ts';
import { TemporaryDirectory } from '../temporary-directory.ts';
import { ExternalProgram } from './external-program.ts';
import type { ForeignPhone } from './foreign-phone.ts';
import { formatSipAddress } from './sip-address.ts';
import type { SipAddress } from './sip-address.ts';
import { aorOf } from './users.ts';
import type { SipUser } from './users.ts';

export type LinphonecOptions = {
  readonly user: SipUser;
  readonly site: SipAddress;
  readonly expiresS?: number | undefined;
};

const expiresS = 60;

/** Linphone's console client; it takes every call. */
export class Linphonec implements ForeignPhone {
  /** Where it listens. */
  readonly address: SipAddress;
  readonly #program: ExternalProgram;
  readonly #stack: AsyncDisposableStack;

  private constructor(address: SipAddress, program: ExternalProgram, stack: AsyncDisposableStack) {
    this.address = address;
    this.#program = program;
    this.#stack = stack;
  }

  /** Starts it; it begins to register at once. */
  static async start(options: LinphonecOptions): Promise<Linphonec> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await TemporaryDirectory.create());
    const { first: port } = stack.use(await takePortBlock());
    // It does not make its folder itself.
    await mkdir(directory.file('.local/share/linphone'), { recursive: true });
    await writeFile(directory.file('linphonerc'), configOf(options, port));
    const program = stack.use(
      new ExternalProgram('linphonec', {
        args: ['-c', 'linphonerc', '-a'],
        directory: directory.path,
      }),
    );
    await program.saw(/linphonec>/);
    return new Linphonec({ host: '127.0.0.1', port }, program, stack.move());
  }

  /** Waits until its registration was accepted. */
  async registered(): Promise<void> {
    await this.#program.waitFor('its registration', () => {
      this.#program.type('status register');
      return /registered, identity=/.test(this.#program.output);
    });
  }

  /** Calls and waits until the call was taken. */
  async call(uri: string): Promise<void> {
    this.#program.type(`call ${uri}`);
    await this.#program.sawNext(/connected\./);
  }

  /** Waits until a call came and was taken. */
  async answered(): Promise<void> {
    await this.#program.sawNext(/connected\./);
  }

  /** Waits until the other one has ended the call. */
  async hungUp(): Promise<void> {
    await this.#program.sawNext(/Call \d+ with \S+ ended/);
  }

  /** Ends the call. */
  hangUp(): void {
    this.#program.type('terminate');
  }

  /** Takes its registration back and ends. */
  async quit(): Promise<void> {
    this.#program.type('quit');
    await this.#program.exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const configOf = (
  { user, site, expiresS: expires = expiresS }: LinphonecOptions,
  port: number,
): string => `[sip]
sip_port=${port}
sip_tcp_port=0
sip_tls_port=0
use_ipv6=0
guess_hostname=0
contact=<sip:${user.name}@127.0.0.1>
default_proxy=0
register_only_when_network_is_up=0

[auth_info_0]
username=${user.name}
passwd=${user.password}
realm=${user.domain}

[proxy_0]
reg_proxy=<sip:${formatSipAddress(site)};transport=udp>
reg_route=<sip:${formatSipAddress(site)};transport=udp;lr>
reg_identity=sip:${aorOf(user)}
reg_expires=${expires}
reg_sendregister=1
publish=0

[net]
dns_srv_enabled=0
firewall_policy=0

[rtp]
audio_rtp_port=${port + 2}
`;
