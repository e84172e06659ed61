import type { Request, Response } from '../message/message.ts';
import type { ClientTransaction, ServerTransaction, TransactionTimer } from './transaction.ts';

/** What the transaction layer asks its program to do, or tells the transaction user. */
export type Output<T> =
  | {
      readonly kind: 'send';
      readonly bytes: Buffer;
      readonly to: T;
      /** Told by `transportError` if the bytes cannot be sent. */
      readonly transaction: ClientTransaction<T> | ServerTransaction<T>;
    }
  | { readonly kind: 'set-timer'; readonly timer: TransactionTimer<T>; readonly ms: number }
  | { readonly kind: 'clear-timer'; readonly timer: TransactionTimer<T> }
  /** A new request; its user calls `respond` with the transaction. */
  | {
      readonly kind: 'request';
      readonly request: Request;
      readonly transaction: ServerTransaction<T>;
      /** Of a CANCEL: the transaction it is to cancel, where there is one (RFC 3261 section 9.2). */
      readonly cancels?: ServerTransaction<T> | undefined;
    }
  /** An ACK that belongs to a 2xx: it has no transaction and is routed like a request (section 17.1.1.3). */
  | { readonly kind: 'ack'; readonly request: Request; readonly from: T }
  | {
      readonly kind: 'response';
      readonly response: Response;
      readonly transaction: ClientTransaction<T>;
    }
  /** No response came (Timer B, F), or no ACK (Timer H). */
  | { readonly kind: 'timeout'; readonly transaction: ClientTransaction<T> | ServerTransaction<T> }
  | {
      readonly kind: 'transport-error';
      readonly transaction: ClientTransaction<T> | ServerTransaction<T>;
    }
  | {
      readonly kind: 'terminated';
      readonly transaction: ClientTransaction<T> | ServerTransaction<T>;
    }
  /** No room for a new transaction: the request should be answered 503 without one, or dropped. */
  | { readonly kind: 'overload'; readonly request: Request; readonly from: T };
