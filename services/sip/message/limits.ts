/** What one message may cost; beyond it a request is answered 513 (section 21.5.7), a stream is closed. */
export type MessageLimits = {
  readonly messageBytesMax: number;
  /** Start line and header fields. */
  readonly headBytesMax: number;
  readonly headerFieldsMax: number;
};

/** A UDP datagram whole; heads far beyond what Identity tokens and long Record-Route sets need. */
export const defaultLimits: MessageLimits = {
  messageBytesMax: 65_535,
  headBytesMax: 32_768,
  headerFieldsMax: 256,
};

/** Why a request is not served: the answer to send, its reason phrase, and header fields that belong to it. */
export type Refusal = {
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
};

/** A 400 whose reason phrase names the problem, as section 21.4.1 asks. */
export function badRequest(reason: string): Refusal {
  return { status: 400, reason };
}
