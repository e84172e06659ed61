import { mkdir, writeFile } from 'node:fs/promises';
import { takePortBlock } from '../../../../services/site/port-block.ts';
import { TemporaryDirectory } from '../../temporary-directory.ts';
import { ExternalProgram } from '../external-program.ts';
import type { SipAddress } from '../sip-address.ts';
import { RpcClient } from './rpc.ts';

/** What a configuration is written for. */
export type KamailioPlace = {
  readonly host: string;
  /** SIP, on UDP. */
  readonly port: number;
  /** For DMQ between Kamailios, on UDP. */
  readonly dmqPort: number;
  /** For whatever files it needs. */
  readonly directory: TemporaryDirectory;
};

export type KamailioOptions = {
  /** Modules, their parameters and the routes. Writes the files they need. */
  readonly configure: (place: KamailioPlace) => string | Promise<string>;
  /** Processes that receive over UDP; default 2. */
  readonly children?: number | undefined;
  /** Default loopback. */
  readonly host?: string | undefined;
};

const childrenDefault = 2;
const sharedMemoryMb = 256;
const receiveBufferBytes = 4 * 1024 * 1024;

/** A Kamailio of its own: ports, runtime directory, configuration; killed with everything it forked. */
export class Kamailio implements AsyncDisposable {
  readonly address: SipAddress;
  /** Where a Kamailio that joins this one's DMQ bus turns to. */
  readonly dmqAddress: SipAddress;
  readonly rpcPort: number;
  readonly #program: ExternalProgram;
  readonly #stack: AsyncDisposableStack;

  private constructor(place: KamailioPlace, program: ExternalProgram, stack: AsyncDisposableStack) {
    const { host, port, dmqPort } = place;
    this.address = { host, port };
    this.dmqAddress = { host, port: dmqPort };
    this.rpcPort = rpcPortOf(place);
    this.#program = program;
    this.#stack = stack;
  }

  /** Starts it and waits until its processes answer. */
  static async start({ configure, children = childrenDefault, host = '127.0.0.1' }: KamailioOptions) {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await TemporaryDirectory.create());
    const { first } = stack.use(await takePortBlock());
    const place = { host, port: first, dmqPort: first + 1, directory };
    const config = [coreSettings(place, children), await configure(place)].join('\n');
    await writeFile(directory.file('kamailio.cfg'), config);
    await mkdir(directory.file('run'));
    const args = [
      '-f',
      'kamailio.cfg',
      '-DD',
      '-E',
      '-Y',
      directory.file('run'),
      '-m',
      String(sharedMemoryMb),
    ];
    const program = stack.use(new ExternalProgram('kamailio', { args, directory: directory.path }));
    const kamailio = new Kamailio(place, program, stack.move());
    try {
      await program.waitFor('it to answer', () => kamailio.#answers());
      return kamailio;
    } catch (error) {
      await kamailio[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Calls one of its management methods; undefined where it answers with an error. */
  async rpc(method: string, ...params: readonly unknown[]): Promise<unknown> {
    using client = await RpcClient.open(this.rpcPort);
    return await client.call(method, ...params);
  }

  /** Waits until `condition` accepts what `method` answers. */
  async waitForRpc(
    method: string,
    condition: (result: unknown) => boolean,
    ...params: readonly unknown[]
  ): Promise<void> {
    await this.#program.waitFor(`${method} to answer as expected`, async () =>
      condition(await this.rpc(method, ...params)),
    );
  }

  failure(what: string): Error {
    return this.#program.failure(what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #answers(): Promise<boolean> {
    return await this.rpc('core.uptime').then(
      () => true,
      () => false,
    );
  }
}

const rpcPortOf = ({ port }: KamailioPlace): number => port + 2;

const coreSettings = (place: KamailioPlace, children: number): string => `#!KAMAILIO
debug=0
log_stderror=yes
children=${children}
disable_tcp=yes
auto_aliases=no
maxbuffer=${receiveBufferBytes}
listen=udp:${place.host}:${place.port}
listen=udp:${place.host}:${place.dmqPort}
loadmodule "jsonrpcs.so"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("jsonrpcs", "transport", 4)
modparam("jsonrpcs", "dgram_socket", "udp:127.0.0.1:${rpcPortOf(place)}")
`;
