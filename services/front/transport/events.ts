import type { Refusal } from '../../sip/message/limits.ts';
import type { Request, Response } from '../../sip/message/message.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';

/** What the transports tell. */
export type TransportEvents = {
  /** Whether a message from the address is read at all; asked before anything is spent on it. */
  readonly admit: (address: string, isResponse: boolean) => boolean;
  /** A message, well-formed or not; what is no SIP at all was dropped. */
  readonly onMessage: (message: Request | Response, flow: Flow) => void;
  /** A stream cannot be read on behind this request, which may still be answered; then it is closed. */
  readonly onBroken: (request: Request, refusal: Refusal, flow: Flow) => void;
  /** A connection is gone: nothing can be sent over its flow again. */
  readonly onClosed: (flow: Flow) => void;
};
