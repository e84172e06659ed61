import type { Request } from '../message/message.ts';
import { Linked } from '../../platform/collections/linked-list.ts';
import type { Machine, State } from './machine.ts';
import type { TimerName } from './timers.ts';

/** A running timer; the same object sets, clears and fires it. */
export class TransactionTimer<T> extends Linked<TransactionTimer<T>> {
  readonly name: TimerName;
  readonly transaction: ClientTransaction<T> | ServerTransaction<T>;

  constructor(name: TimerName, transaction: ClientTransaction<T> | ServerTransaction<T>) {
    super();
    this.name = name;
    this.transaction = transaction;
  }
}

/** What client and server transactions share. `T` is where messages come from and go to: the program's idea of a flow. */
class Transaction<T, Self extends Linked<Self>> extends Linked<Self> {
  readonly key: string;
  readonly machine: Machine;
  readonly method: string;
  readonly peer: T;
  readonly isReliable: boolean;
  state: State;
  /** Current interval of the retransmission timer. */
  intervalMs = 0;
  timers: TransactionTimer<T>[] = [];

  constructor(key: string, machine: Machine, method: string, peer: T, isReliable: boolean) {
    super();
    this.key = key;
    this.machine = machine;
    this.method = method;
    this.peer = peer;
    this.isReliable = isReliable;
    this.state = machine.start[0];
  }
}

/** A request sent, until its responses have been handled. */
export class ClientTransaction<T> extends Transaction<T, ClientTransaction<T>> {
  readonly kind = 'client';
  /** As sent, with this element's Via on top; kept while an ACK may have to be built from it. */
  request: Request | undefined;
  /** Its bytes, while they may have to be sent again. */
  bytes: Buffer | undefined;

  constructor(key: string, machine: Machine, request: Request, peer: T, isReliable: boolean) {
    super(key, machine, request.method, peer, isReliable);
    this.request = request;
    this.bytes = request.toBuffer();
  }
}

/** A request received, until its response can no longer be asked for again. */
export class ServerTransaction<T> extends Transaction<T, ServerTransaction<T>> {
  readonly kind = 'server';
  /** Kept while a 100 may have to be built from it. */
  request: Request | undefined;
  /** Newest response sent, while it may have to be sent again. */
  response: Buffer | undefined;
  /** What its user does when the request is cancelled, while there is anything to do. */
  onCancel: (() => void) | undefined;

  constructor(key: string, machine: Machine, request: Request, peer: T, isReliable: boolean) {
    super(key, machine, request.method, peer, isReliable);
    this.request = request;
  }
}
