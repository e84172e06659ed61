import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { missing } from './clients/installed.ts';
import { Guard } from './guard.ts';

const run = promisify(execFile);

/** Networks for measurements between devices (RFC 2544): they lead nowhere. */
const networkOf = (n: number): string => `198.18.${n >> 6}.${(n & 63) * 4}`;
const networks = 256 * 64;
const attemptsMax = 5;

/**
 * A network of its own with one address, and one address of ours in it: for programs that want another address than
 * loopback. Only root can make one.
 */
export class NetworkNamespace implements AsyncDisposable {
  /** Of the programs in it. */
  readonly address: string;
  /** Ours, as programs in it see it; servers for them listen here. */
  readonly hostAddress: string;
  readonly #name: string;
  readonly #guard: Guard;

  private constructor(name: string, n: number) {
    const [a, b, c, d] = networkOf(n).split('.').map(Number);
    this.#name = name;
    this.hostAddress = `${a}.${b}.${c}.${(d ?? 0) + 1}`;
    this.address = `${a}.${b}.${c}.${(d ?? 0) + 2}`;
    this.#guard = new Guard('ip netns del "$1"; ip link del "$1" 2> /dev/null', name);
  }

  /** Why there can be none here; undefined where there can. */
  static async missing(): Promise<string | undefined> {
    if (userInfo().uid !== 0) return 'network namespaces need root';
    const absent = missing('ip');
    if (absent) return absent;
    try {
      await using _ = await NetworkNamespace.create();
      return undefined;
    } catch (error) {
      return `network namespaces cannot be made here: ${String(error).split('\n')[0]}`;
    }
  }

  static async create(): Promise<NetworkNamespace> {
    const namespace = await NetworkNamespace.#reserve();
    try {
      await namespace.#connect();
      return namespace;
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The command that runs `command` in it. */
  inside(command: readonly string[]): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name, ...command];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard[Symbol.asyncDispose]();
  }

  /** Takes a number that nobody has. */
  static async #reserve(): Promise<NetworkNamespace> {
    for (let attempt = 1; ; attempt += 1) {
      const n = randomInt(networks);
      const name = `dualhome${n}`;
      try {
        await run('ip', ['netns', 'add', name]);
        return new NetworkNamespace(name, n);
      } catch (error) {
        if (attempt === attemptsMax) throw error;
      }
    }
  }

  async #connect(): Promise<void> {
    const [name, peer] = [this.#name, 'eth0'];
    await run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', peer, 'netns', name]);
    await run('ip', ['addr', 'add', `${this.hostAddress}/30`, 'dev', name]);
    await run('ip', ['link', 'set', name, 'up']);
    for (const command of [
      ['link', 'set', 'lo', 'up'],
      ['addr', 'add', `${this.address}/30`, 'dev', peer],
      ['link', 'set', peer, 'up'],
    ])
      await run('ip', ['-n', name, ...command]);
  }
}
