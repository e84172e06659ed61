import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

const timeoutMs = 1_000;

/** Management calls to a Kamailio (JSON-RPC over UDP on loopback), one at a time. */
export class RpcClient implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<RpcClient> {
    const socket = createSocket('udp4');
    // Nobody listens: the call that waits says so.
    socket.on('error', () => undefined);
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RpcClient(socket);
  }

  /** What the method returns; undefined where it answers with an error. Throws when there is no answer. */
  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const answered = once(this.#socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
    const [message] = (await answered) as [Buffer];
    return (JSON.parse(message.toString()) as { readonly result?: unknown }).result;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
