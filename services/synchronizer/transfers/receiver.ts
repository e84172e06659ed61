import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { LogName } from '../../protocol/names.ts';
import type { SnapshotHeader } from '../../protocol/manifest.ts';
import { findSwap } from '../../log/snapshot/swap.ts';
import { Verifier } from '../../platform/crypto/signing.ts';
import { readPem } from '../../platform/tls/identity-files.ts';
import { copyingOf, peerNamed } from '../peer-logs.ts';
import type { SynchronizerContext } from '../ports.ts';
import { Incoming } from './incoming.ts';
import type { Reception } from './reception.ts';
import { beginSchema, chunkSchema, failureOf, lookSchema, sealSchema } from './requests.ts';
import type { Offer, Received } from './requests.ts';
import { requireSpace } from './spool.ts';

/** A transfer nobody asks about for so long was given up by its sender. */
const silentMaxMs = 10 * 60_000;

/**
 * Takes the snapshots that peers push.
 *
 * Invariant: of each log of a peer at most one is on its way in. A newer one replaces it, unless it is being put
 * in place already; one whose sender is silent is given up.
 */
export class Receiver implements AsyncDisposable {
  readonly #context: SynchronizerContext;
  readonly #reception: Reception;
  readonly #onTaken: (peer: string, log: LogName) => Promise<void>;
  readonly #handlers = new DisposableStack();
  readonly #beginning = new Map<string, Promise<Offer>>();
  readonly #incoming = new Map<string, Incoming>();
  readonly #silence = new Map<string, NodeJS.Timeout>();

  /** @param onTaken told when a snapshot of a peer was put in place */
  constructor(
    context: SynchronizerContext,
    reception: Reception,
    onTaken: (peer: string, log: LogName) => Promise<void>,
  ) {
    const { handlers } = context;
    this.#context = context;
    this.#reception = reception;
    this.#onTaken = onTaken;
    this.#handlers.use(
      handlers.register('transfer.begin', beginSchema, ({ header }, { peer }) =>
        this.#beginOnce(peer, header),
      ),
    );
    this.#handlers.use(
      handlers.register('transfer.chunk', chunkSchema, async ({ transfer, digest }, { peer }) => {
        this.#of(peer, transfer).arrived(digest);
      }),
    );
    this.#handlers.use(
      handlers.register('transfer.seal', sealSchema, async ({ transfer, manifest }, { peer }) => {
        this.#of(peer, transfer).seal(manifest);
      }),
    );
    this.#handlers.use(
      handlers.register('transfer.look', lookSchema, ({ transfer }, { peer }) => this.#look(peer, transfer)),
    );
    this.#handlers.use(
      handlers.register('transfer.end', lookSchema, async ({ transfer }, { peer }) => {
        if (this.#incoming.has(keyOf(peer, transfer))) await this.#drop(peer, transfer);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handlers.dispose();
    for (const timer of this.#silence.values()) clearTimeout(timer);
    await Promise.all([...this.#incoming.values()].map((incoming) => incoming[Symbol.asyncDispose]()));
  }

  /** The same answer to one who asks again before it came. */
  #beginOnce(name: string, header: SnapshotHeader): Promise<Offer> {
    const key = keyOf(name, header.transfer);
    const beginning =
      this.#beginning.get(key) ?? this.#begin(name, header).finally(() => this.#beginning.delete(key));
    this.#beginning.set(key, beginning);
    return beginning;
  }

  async #begin(name: string, header: SnapshotHeader): Promise<Offer> {
    const { config, log, peers, reservations } = this.#context;
    const { apply: lane, copy } = copyingOf(peers, name, header.log);
    const known = this.#incoming.get(keyOf(name, header.transfer));
    if (known) return known.offer;
    await this.#makeWay(name, header.log);
    const directory = join(config.spool.incoming, header.transfer);
    await requireSpace(config.spool.incoming);
    const verifier = new Verifier(await readPem(peerNamed(peers, name).config.signingPublicKeyFile));
    await mkdir(directory, { recursive: true });
    const landing = await this.#reception.land(name, header.transfer, directory);
    const onTaken = (): Promise<void> => this.#onTaken(name, header.log);
    const reserved = reservations.hold(`${name}/${header.log}`, header.seq);
    const incoming = new Incoming({
      reserved,
      copy,
      peer: name,
      header,
      lane,
      verifier,
      landing,
      directory,
      log,
      onTaken,
    });
    this.#incoming.set(keyOf(name, header.transfer), incoming);
    this.#heard(name, header.transfer);
    return incoming.offer;
  }

  /** Ends an older transfer of this log of the peer. */
  async #makeWay(name: string, log: LogName): Promise<void> {
    for (const [key, incoming] of this.#incoming) {
      if (incoming.peer !== name || incoming.log !== log) continue;
      if (incoming.received.state === 'finishing') throw new DualhomeError('TRANSFER_BUSY');
      await this.#dropKey(key);
    }
  }

  /** After a restart the copy itself still knows what was put in place. */
  async #look(name: string, transfer: string): Promise<Received> {
    const incoming = this.#incoming.get(keyOf(name, transfer));
    if (incoming) {
      this.#heard(name, transfer);
      return incoming.received;
    }
    for (const { copy } of this.#context.peers.get(name)?.logs.values() ?? []) {
      const done = copy && (await findSwap(copy.database, transfer));
      if (done) return { state: 'done', rows: done.rows, error: null };
    }
    return { state: 'unknown', rows: 0, error: null };
  }

  #of(name: string, transfer: string): Incoming {
    const incoming = this.#incoming.get(keyOf(name, transfer));
    if (!incoming) throw new DualhomeError('TRANSFER_LOST');
    const { state, error } = incoming.received;
    if (state === 'failed' && error) throw failureOf(error);
    this.#heard(name, transfer);
    return incoming;
  }

  #heard(name: string, transfer: string): void {
    const key = keyOf(name, transfer);
    clearTimeout(this.#silence.get(key));
    this.#silence.set(
      key,
      setTimeout(() => void this.#dropKey(key), silentMaxMs),
    );
  }

  #drop(name: string, transfer: string): Promise<void> {
    return this.#dropKey(keyOf(name, transfer));
  }

  async #dropKey(key: string): Promise<void> {
    clearTimeout(this.#silence.get(key));
    this.#silence.delete(key);
    const incoming = this.#incoming.get(key);
    this.#incoming.delete(key);
    await incoming?.[Symbol.asyncDispose]();
  }
}

const keyOf = (peer: string, transfer: string): string => `${peer}/${transfer}`;
