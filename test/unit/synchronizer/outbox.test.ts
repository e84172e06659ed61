import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import { Outbox, Priority } from '../../../services/synchronizer/link/outbox.ts';

/** A socket that keeps what it is given until told to pass it on. */
class SlowSocket extends Duplex {
  readonly passed: string[] = [];
  #waiting: (() => void)[] = [];

  constructor() {
    super({ writableHighWaterMark: 10 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#waiting.push(() => {
      this.passed.push(chunk.toString());
      done();
    });
  }

  override _read(): void {}

  async passAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#waiting.shift()?.();
      await setImmediate();
    }
  }
}

const frame = (text: string): Buffer[] => [Buffer.from(text)];

describe('outbox', () => {
  it('sends heartbeats before registrations before configuration, each whole', async () => {
    const socket = new SlowSocket();
    const outbox = new Outbox(socket);
    const sent = [
      outbox.send([Buffer.from('configuration 1 '), Buffer.from('(two parts)')], Priority.configuration),
      outbox.send(frame('configuration 2'), Priority.configuration),
      outbox.send(frame('registration'), Priority.registration),
      outbox.send(frame('heartbeat'), Priority.control),
    ];
    await socket.passAll();
    await Promise.all(sent);
    expect(socket.passed).toEqual([
      'configuration 1 ',
      '(two parts)',
      'heartbeat',
      'registration',
      'configuration 2',
    ]);
  });

  it('takes no more than its limit from a peer that does not read', async () => {
    const outbox = new Outbox(new SlowSocket(), 1_000);
    const sending = (bytes: number) => outbox.send([Buffer.alloc(bytes)], Priority.control);
    const waiting = Promise.allSettled([sending(20), sending(600), sending(600)]);
    await expect(sending(1)).rejects.toThrow('LINK_SILENT');
    outbox.close(new DualhomeError('LINK_CLOSED'));
    expect((await waiting).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await expect(sending(1)).rejects.toThrow('LINK_CLOSED');
  });
});
