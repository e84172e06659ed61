import { join } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { SnapshotHeader } from '../../protocol/manifest.ts';
import { findSwap } from '../../log/snapshot/swap.ts';
import { Verifier } from '../../platform/crypto/signing.ts';
import { readPem } from '../../platform/tls/identity-files.ts';
import type { SynchronizerContext } from '../ports.ts';
import { Incoming } from './incoming.ts';
import type { TransferLogins } from './logins.ts';
import { beginSchema, chunkSchema, failureOf, lookSchema, sealSchema } from './requests.ts';
import type { Offer, Received } from './requests.ts';
import { requireSpace } from './spool.ts';

/** A transfer nobody asks about for so long was given up by its sender. */
const silentMaxMs = 10 * 60_000;

/**
 * Takes the snapshots that peers push.
 *
 * Invariant: of each peer at most one is on its way in. A newer one replaces it, unless it is being put
 * in place already; one whose sender is silent is given up.
 */
export class Receiver implements AsyncDisposable {
  readonly #context: SynchronizerContext;
  readonly #logins: TransferLogins;
  readonly #onTaken: (peer: string) => Promise<void>;
  readonly #handlers = new DisposableStack();
  readonly #incoming = new Map<string, Incoming>();
  readonly #silence = new Map<string, NodeJS.Timeout>();

  /** @param onTaken told when a snapshot of a peer was put in place */
  constructor(
    context: SynchronizerContext,
    logins: TransferLogins,
    onTaken: (peer: string) => Promise<void>,
  ) {
    const { handlers } = context;
    this.#context = context;
    this.#logins = logins;
    this.#onTaken = onTaken;
    this.#handlers.use(
      handlers.register('transfer.begin', beginSchema, ({ header }, { peer }) => this.#begin(peer, header)),
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

  async #begin(name: string, header: SnapshotHeader): Promise<Offer> {
    const { config, log, peers } = this.#context;
    const peer = peers.get(name);
    if (!peer?.apply) throw new DualhomeError('LINK_LOG_NOT_SENT');
    const known = this.#incoming.get(keyOf(name, header.transfer));
    if (known) return this.#offer(known);
    await this.#makeWay(name);
    const directory = join(config.spool.incoming, header.transfer);
    await requireSpace(config.spool.incoming);
    const verifier = new Verifier(await readPem(peer.config.signingPublicKeyFile));
    const login = this.#logins.issue(name, directory);
    const onTaken = (): Promise<void> => this.#onTaken(name);
    const lane = peer.apply;
    const incoming = await Incoming.begin({ header, peer, lane, verifier, login, directory, log, onTaken });
    this.#incoming.set(keyOf(name, header.transfer), incoming);
    this.#heard(name, header.transfer);
    return this.#offer(incoming);
  }

  /** Ends an older transfer of this peer. */
  async #makeWay(name: string): Promise<void> {
    for (const [key, incoming] of this.#incoming) {
      if (incoming.peer !== name) continue;
      if (incoming.received.state === 'finishing') throw new DualhomeError('TRANSFER_BUSY');
      await this.#dropKey(key);
    }
  }

  #offer({ login }: Incoming): Offer {
    const { ftp } = this.#context.config;
    return {
      host: ftp.publicHost,
      port: ftp.listen.port,
      security: ftp.security,
      user: login.user,
      password: login.password.reveal(),
    };
  }

  /** After a restart the standby itself still knows what was put in place. */
  async #look(name: string, transfer: string): Promise<Received> {
    const incoming = this.#incoming.get(keyOf(name, transfer));
    if (incoming) {
      this.#heard(name, transfer);
      return incoming.received;
    }
    const standby = this.#context.peers.get(name)?.standby;
    const done = standby && (await findSwap(standby, transfer));
    return { state: done ? 'done' : 'unknown', rows: done?.rows ?? 0, error: null };
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
