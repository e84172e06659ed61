import type { Request, Response } from '../message/message.ts';
import { clientInvite } from './client-invite.ts';
import { clientNonInvite } from './client-non-invite.ts';
import { clientKey, serverKey } from './key.ts';
import { KeptBytes } from './kept-bytes.ts';
import { LinkedList } from '../../platform/collections/linked-list.ts';
import { stepOf } from './machine.ts';
import type { Event } from './machine.ts';
import type { Output } from './output.ts';
import { feed, fire, start, statusEvent, terminate } from './run.ts';
import type { Cause } from './run.ts';
import { serverInvite } from './server-invite.ts';
import { serverNonInvite } from './server-non-invite.ts';
import { defaultTimers } from './timers.ts';
import type { TimerValues } from './timers.ts';
import { ClientTransaction, ServerTransaction } from './transaction.ts';
import type { TransactionTimer } from './transaction.ts';

export type LayerOptions = {
  readonly timers?: TimerValues | undefined;
  /** Server transactions held at once; client transactions are bounded by whoever sends requests. */
  readonly transactionsMax: number;
};

/**
 * The transaction layer of RFC 3261 section 17: finds the transaction of what came, runs its machine, and gives
 * back what is to be done. It neither sends nor waits. `T` is where messages come from and go to.
 *
 * Invariants: a transaction is in its map until its machine is in Terminated, and every timer set has by then
 * fired or been cleared. Server transactions never exceed `transactionsMax`: when a new one needs room, the oldest
 * that only absorbs retransmissions makes it; when there is none the request is refused.
 */
export class TransactionLayer<T> {
  readonly #timers: TimerValues;
  readonly #transactionsMax: number;
  readonly #clients = new Map<string, ClientTransaction<T>>();
  readonly #servers = new Map<string, ServerTransaction<T>>();
  readonly #kept = new KeptBytes();
  /** Completed non-INVITE server transactions, oldest first. */
  readonly #absorbing = new LinkedList<ServerTransaction<T>>();

  constructor({ timers = defaultTimers, transactionsMax }: LayerOptions) {
    this.#timers = timers;
    this.#transactionsMax = transactionsMax;
  }

  /** Transactions that have not terminated. */
  get size(): number {
    return this.#clients.size + this.#servers.size;
  }

  /** A well-formed request (see `refusalOf`) arrived. */
  receiveRequest(request: Request, from: T, isReliable: boolean): Output<T>[] {
    const key = serverKey(request);
    const known = this.#servers.get(key);
    if (known) return this.#feed(known, request.method === 'ACK' ? 'ACK' : 'request', { request });
    if (request.method === 'ACK') return [{ kind: 'ack', request, from }];
    const outputs: Output<T>[] = [];
    if (!this.#makeRoom(outputs)) return [{ kind: 'overload', request, from }];
    const machine = request.method === 'INVITE' ? serverInvite : serverNonInvite;
    const transaction = new ServerTransaction(key, machine, request, from, isReliable);
    this.#servers.set(key, transaction);
    const cancels = request.method === 'CANCEL' ? this.#servers.get(serverKey(request, 'INVITE')) : undefined;
    start({ transaction, timers: this.#timers, outputs }, { request, cancels });
    return outputs;
  }

  /**
   * A well-formed response arrived. One that matches no client transaction is dropped: forwarding it would let
   * anyone send through a proxy (RFC 6026 section 8.10).
   */
  receiveResponse(response: Response): Output<T>[] {
    const transaction = this.#clients.get(clientKey(response));
    return transaction ? this.#feed(transaction, statusEvent(response.status), { response }) : [];
  }

  /** Sends a request that has this element's Via with a new branch on top, and waits for its responses. */
  send(
    request: Request,
    to: T,
    isReliable: boolean,
  ): { transaction: ClientTransaction<T>; outputs: Output<T>[] } {
    const machine = request.method === 'INVITE' ? clientInvite : clientNonInvite;
    const transaction = new ClientTransaction(clientKey(request), machine, request, to, isReliable);
    const outputs: Output<T>[] = [];
    this.#clients.set(transaction.key, transaction);
    start({ transaction, timers: this.#timers, outputs }, {});
    return { transaction, outputs };
  }

  /** The transaction user answers. A response the transaction can no longer send is left out. */
  respond(transaction: ServerTransaction<T>, status: number, bytes: Buffer): Output<T>[] {
    const event = statusEvent(status);
    if (!stepOf(transaction.machine, transaction.state, event)) return [];
    transaction.response = bytes;
    const outputs = this.#feed(transaction, event, {});
    if (transaction.response) transaction.response = this.#kept.copyOf(bytes);
    return outputs;
  }

  /** A timer that was set has run out. */
  fire(timer: TransactionTimer<T>): Output<T>[] {
    const { transaction } = timer;
    const outputs: Output<T>[] = [];
    fire({ transaction, timers: this.#timers, outputs }, timer);
    this.#settle(transaction);
    return outputs;
  }

  /** What a transaction wanted to send could not be sent (sections 17.1.4 and 17.2.4). */
  transportError(transaction: ClientTransaction<T> | ServerTransaction<T>): Output<T>[] {
    return this.#feed(transaction, 'transport error', {});
  }

  /** Nobody needs the request any longer: where nothing came back yet, it is not sent again. */
  quieten(transaction: ClientTransaction<T>): Output<T>[] {
    return this.#feed(transaction, 'quieten', {});
  }

  /** No final response is waited for any longer: an INVITE that was proceeding has no timer that would end it. */
  abandon(transaction: ClientTransaction<T>): Output<T>[] {
    const outputs: Output<T>[] = [];
    if (!isWaiting(transaction)) return outputs;
    terminate({ transaction, timers: this.#timers, outputs });
    this.#settle(transaction);
    return outputs;
  }

  #feed(
    transaction: ClientTransaction<T> | ServerTransaction<T>,
    event: Event,
    cause: Cause<T>,
  ): Output<T>[] {
    const outputs: Output<T>[] = [];
    feed({ transaction, timers: this.#timers, outputs }, event, cause);
    this.#settle(transaction);
    return outputs;
  }

  /** Brings the maps in line with the state a transaction has come to. */
  #settle(transaction: ClientTransaction<T> | ServerTransaction<T>): void {
    const { state, key } = transaction;
    slim(transaction);
    if (transaction.kind === 'client') {
      if (state === 'terminated') this.#clients.delete(key);
      return;
    }
    const { list } = transaction;
    if (state === 'completed' && transaction.method !== 'INVITE' && !list) this.#absorbing.push(transaction);
    if (state === 'terminated') {
      this.#servers.delete(key);
      list?.remove(transaction);
    }
  }

  #makeRoom(outputs: Output<T>[]): boolean {
    if (this.#servers.size < this.#transactionsMax) return true;
    const oldest = this.#absorbing.first;
    if (!oldest) return false;
    terminate({ transaction: oldest, timers: this.#timers, outputs });
    this.#settle(oldest);
    return true;
  }
}

/** Lets go of what is not sent again: most transactions wait out 32 s for what never comes. */
function slim<T>(transaction: ClientTransaction<T> | ServerTransaction<T>): void {
  if (isWaiting(transaction)) return;
  const { state } = transaction;
  if (transaction.kind === 'client') {
    transaction.bytes = undefined;
    if (state !== 'completed' || transaction.method !== 'INVITE') transaction.request = undefined;
  } else {
    transaction.request = undefined;
    if (state !== 'completed') transaction.response = undefined;
  }
}

/** Whether a request has no final response yet. */
export function isWaiting<T>({ state }: ClientTransaction<T> | ServerTransaction<T>): boolean {
  return state === 'calling' || state === 'quiet' || state === 'trying' || state === 'proceeding';
}
