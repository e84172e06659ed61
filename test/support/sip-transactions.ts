import type { Request, Response } from '../../services/sip/message/message.ts';
import { buildResponse } from '../../services/sip/message/response.ts';
import { TransactionLayer } from '../../services/sip/transaction/layer.ts';
import type { Output } from '../../services/sip/transaction/output.ts';
import { TimerWheel } from '../../services/sip/transaction/timer-wheel.ts';
import type {
  ClientTransaction,
  ServerTransaction,
  TransactionTimer,
} from '../../services/sip/transaction/transaction.ts';

/**
 * A transaction layer with a fake clock: timers fire when the test moves time on. What the layer puts out is written
 * down in words, such as `send INVITE`, `set A 500`, `clear B`, `to user 180`, `timeout`.
 */
export class TransactionTester {
  readonly layer: TransactionLayer<string>;
  readonly outputs: Output<string>[] = [];
  readonly #wheel = new TimerWheel<TransactionTimer<string>>(1);
  #nowMs = 0;

  constructor(transactionsMax = 100) {
    this.layer = new TransactionLayer({ transactionsMax });
  }

  get runningTimers(): number {
    return this.#wheel.size;
  }

  /** Sends a request as a transaction user. */
  send(request: Request, isReliable = false): ClientTransaction<string> {
    const { transaction, outputs } = this.layer.send(request, 'callee', isReliable);
    this.#take(outputs);
    return transaction;
  }

  /** Lets a request arrive. */
  receive(request: Request, isReliable = false): string[] {
    return this.#take(this.layer.receiveRequest(request, 'caller', isReliable));
  }

  /** Lets a new request arrive and gives the transaction the user got with it. */
  receiveNew(request: Request, isReliable = false): ServerTransaction<string> {
    this.receive(request, isReliable);
    const output = this.outputs.findLast(({ kind }) => kind === 'request');
    if (output?.kind !== 'request') throw new Error('no new request');
    return output.transaction;
  }

  receiveResponse(response: Response): string[] {
    return this.#take(this.layer.receiveResponse(response));
  }

  /** Answers as a transaction user. */
  respond(transaction: ServerTransaction<string>, request: Request, status: number): string[] {
    const bytes = buildResponse(request, status, { toTag: 'callee' });
    return this.#take(this.layer.respond(transaction, status, bytes));
  }

  failToSend(transaction: ClientTransaction<string> | ServerTransaction<string>): string[] {
    return this.#take(this.layer.transportError(transaction));
  }

  quieten(transaction: ClientTransaction<string>): string[] {
    return this.#take(this.layer.quieten(transaction));
  }

  /** Lets one running timer run out at once, whatever the clock says. */
  fire(transaction: ClientTransaction<string> | ServerTransaction<string>, name: string): string[] {
    const timer = transaction.timers.find((running) => running.name === name);
    if (!timer) return [];
    this.#wheel.clear(timer);
    return this.#take(this.layer.fire(timer));
  }

  /** Moves time on millisecond by millisecond; outputs are prefixed with the time since the start. */
  elapse(ms: number): string[] {
    const words: string[] = [];
    for (const end = this.#nowMs + ms; this.#nowMs < end;) {
      this.#nowMs++;
      for (const timer of this.#wheel.advance(this.#nowMs)) {
        words.push(...this.#take(this.layer.fire(timer)).map((word) => `${this.#nowMs} ${word}`));
      }
    }
    return words;
  }

  #take(outputs: readonly Output<string>[]): string[] {
    this.outputs.push(...outputs);
    for (const output of outputs) {
      if (output.kind === 'set-timer') this.#wheel.set(output.timer, this.#nowMs + output.ms);
      if (output.kind === 'clear-timer') this.#wheel.clear(output.timer);
    }
    return outputs.map(inWords);
  }
}

/** An output in words. */
function inWords(output: Output<string>): string {
  switch (output.kind) {
    case 'send': {
      const [first = '', second = ''] = output.bytes.toString('latin1').split(' ');
      return `send ${first === 'SIP/2.0' ? second : first}`;
    }
    case 'set-timer':
      return `set ${output.timer.name} ${output.ms}`;
    case 'clear-timer':
      return `clear ${output.timer.name}`;
    case 'request':
      return `to user ${output.request.method}`;
    case 'response':
      return `to user ${output.response.status}`;
    case 'ack':
      return 'to user ACK';
    default:
      return output.kind;
  }
}
