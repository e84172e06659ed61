import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takePortBlock } from '../../../services/site/port-block.ts';
import type { NetworkNamespace } from '../network-namespace.ts';
import { TemporaryDirectory } from '../temporary-directory.ts';
import { ExternalProgram } from './external-program.ts';
import { parseResponseTimes, parseStatistics } from './sipp-statistics.ts';
import type { SippStatistics } from './sipp-statistics.ts';
import { formatSipAddress } from './sip-address.ts';
import type { SipAddress } from './sip-address.ts';
import { isUdpPortOpen } from './udp-ports.ts';
import type { SipUser } from './users.ts';

/** A file in `scenarios`. */
export type SippScenario = 'register' | 'uac' | 'uas' | 'phone';

export type SippOptions = {
  readonly scenario: SippScenario;
  /** How many calls (or registrations) it makes or takes; then it ends. */
  readonly calls: number;
  /** Whom it calls; none for a scenario that waits to be called. */
  readonly target?: SipAddress | undefined;
  /** One line each of its input, taken in turn: fields user, domain, credentials. */
  readonly users?: readonly SipUser[] | undefined;
  /** Calls at one time, a new one as soon as one has ended; default 1. */
  readonly atATime?: number | undefined;
  /** Calls that begin in a second; by default as many as `atATime` lets. */
  readonly perSecond?: number | undefined;
  /** How long pauses in the scenario last; default 20 ms. */
  readonly pauseMs?: number | undefined;
  /** CSeq of the first request of a call; default 1. */
  readonly sequence?: number | undefined;
  /** Call-IDs, `%u` being the number of the call; by default they never come again. */
  readonly callId?: string | undefined;
  /** Local port; by default a free one. */
  readonly port?: number | undefined;
  /** Values of `[name]` in the scenario. */
  readonly keywords?: Readonly<Record<string, string | number>> | undefined;
  /** Ends it, failed; default 20 s. */
  readonly timeoutS?: number | undefined;
  /** Its address and port are in this network instead of loopback. */
  readonly network?: NetworkNamespace | undefined;
  /** Local address; default 127.0.0.1, or the network's. */
  readonly host?: string | undefined;
};

export type SippResult = SippStatistics & {
  /** Times between the start_rtd and rtd marks of the scenario. */
  readonly responseTimesMs: readonly number[];
  /** What it did not expect, in its words. */
  readonly errors: string;
};

/** More than any server takes, so that `atATime` is the only limit. */
const callsPerSecond = 50_000;
const receiveBufferBytes = 4 * 1024 * 1024;
const timeoutS = 20;
const pauseMs = 20;
const errorsMaxChars = 4_000;

/** sipp, running one scenario. */
export class Sipp implements AsyncDisposable {
  /** Where it sends from and, as a callee, listens. */
  readonly address: SipAddress;
  readonly #options: SippOptions;
  readonly #program: ExternalProgram;
  readonly #directory: TemporaryDirectory;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    options: SippOptions,
    address: SipAddress,
    program: ExternalProgram,
    directory: TemporaryDirectory,
    stack: AsyncDisposableStack,
  ) {
    this.address = address;
    this.#options = options;
    this.#program = program;
    this.#directory = directory;
    this.#stack = stack;
  }

  /** Starts it and waits until it can be called. */
  static async start(options: SippOptions): Promise<Sipp> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await TemporaryDirectory.create());
    const port = options.port ?? stack.use(await takePortBlock()).first;
    const address = { host: options.host ?? options.network?.address ?? '127.0.0.1', port };
    if (options.users) await writeFile(directory.file('users.csv'), usersCsv(options.users));
    const program = stack.use(
      new ExternalProgram('sipp', {
        args: argumentsOf(options, address),
        directory: directory.path,
        network: options.network,
      }),
    );
    if (!options.target)
      await program.waitFor('its port to open', () => isUdpPortOpen(program.pid, address.port));
    return new Sipp(options, address, program, directory, stack.move());
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Waits until it has ended. Throws unless every call went as the scenario says. */
  async done(): Promise<SippResult> {
    const result = await this.result();
    if (result.failed > 0 || result.successful !== this.#options.calls)
      throw new Error(
        `sipp ${this.#options.scenario}: ${result.successful} of ${this.#options.calls} calls went well, ${result.failed} failed\n${result.errors}`,
      );
    return result;
  }

  /** Waits until it has ended. */
  async result(): Promise<SippResult> {
    await this.#program.exit;
    const files = await readdir(this.#directory.path);
    const read = async (pattern: RegExp): Promise<string> => {
      const name = files.find((file) => pattern.test(file));
      return name ? await readFile(this.#directory.file(name), 'utf8') : '';
    };
    const statistics = await read(/^statistics\.csv$/);
    if (statistics === '') throw this.#program.failure('wrote no statistics');
    return {
      ...parseStatistics(statistics),
      responseTimesMs: parseResponseTimes(await read(/_rtt\.csv$/)),
      errors: failuresIn(await read(/^errors\.log$/)).slice(0, errorsMaxChars),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Without messages that came twice to calls that had gone well. */
function failuresIn(log: string): string {
  const entries = log.split(/(?<=^'?)(?=\d{4}-\d\d-\d\d\t)/m);
  return entries.filter((entry) => !/: Dead call \S+ \(successful\)/.test(entry)).join('');
}

/** Runs a scenario to its end. Throws unless every call went as the scenario says. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  await using sipp = await Sipp.start(options);
  return await sipp.done();
}

function argumentsOf(options: SippOptions, { host, port }: SipAddress): string[] {
  const { scenario, calls, target, users, atATime = 1, sequence = 1, callId } = options;
  const keywords = { ...options.keywords, first_sequence: sequence, second_sequence: sequence + 1 };
  const flags = {
    sf: join(import.meta.dirname, 'scenarios', `${scenario}.xml`),
    i: host,
    p: port,
    buff_size: receiveBufferBytes,
    m: calls,
    l: atATime,
    r: options.perSecond ?? callsPerSecond,
    d: options.pauseMs ?? pauseMs,
    ...(users && { inf: 'users.csv' }),
    ...(callId && { cid_str: callId }),
    timeout: `${options.timeoutS ?? timeoutS}s`,
    stf: 'statistics.csv',
    rtt_freq: 1,
    error_file: 'errors.log',
  };
  return [
    ...(target ? [formatSipAddress(target)] : []),
    ...['timeout_error', 'nostdin', 'trace_stat', 'trace_rtt', 'trace_err'].map((name) => `-${name}`),
    ...Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)]),
    ...Object.entries(keywords).flatMap(([name, value]) => ['-key', name, String(value)]),
  ];
}

function usersCsv(users: readonly SipUser[]): string {
  const lines = users.map(
    ({ name, domain, password }) =>
      `${name};${domain};[authentication username=${name} password=${password}]`,
  );
  return ['SEQUENTIAL', ...lines, ''].join('\n');
}
