import { badRequest, defaultLimits } from '../message/limits.ts';
import type { MessageLimits, Refusal } from '../message/limits.ts';
import type { Head, Request, Response } from '../message/message.ts';
import { parseHead } from '../message/parse-head.ts';
import { emptyLine, messageOf } from '../message/parse.ts';

/** What a stream carried. After `broken` nothing more is read: answer if there is a request, then close. */
export type Frame =
  | { readonly kind: 'message'; readonly message: Request | Response }
  /** A double CRLF: the sender wants a single one back (RFC 5626 section 4.4.1). */
  | { readonly kind: 'ping' }
  /** A single CRLF between messages: what a ping of ours is answered with. */
  | { readonly kind: 'pong' }
  | { readonly kind: 'broken'; readonly refusal: Refusal; readonly request?: Request | undefined };

export type FramerLimits = MessageLimits & {
  /** How long one message may take from its first byte to its last. */
  readonly messageMsMax: number;
};

/**
 * Cuts a TCP or TLS stream into messages by Content-Length (RFC 3261 section 18.3), whatever packets it comes in.
 *
 * Invariant: at most one message is held, within the limits, and no byte is searched twice, so a sender of single
 * bytes costs no more than another. Time is passed in; `isOverdue` tells of a sender too slow to be kept.
 */
export class StreamFramer {
  readonly #limits: FramerLimits;
  #held: Buffer = nothing;
  #length = 0;
  /** Before this no empty line begins. */
  #searched = 0;
  #head: Head | undefined;
  #startedMs = 0;
  #isLineBreakOpen = false;
  #isBroken = false;

  constructor(limits: FramerLimits = { ...defaultLimits, messageMsMax: 10_000 }) {
    this.#limits = limits;
  }

  /** Whether a message has been begun and not ended in time: the connection should be closed. */
  isOverdue(nowMs: number): boolean {
    return this.#length > 0 && nowMs - this.#startedMs > this.#limits.messageMsMax;
  }

  /** Takes what arrived and gives the frames it completed, in order. */
  push(chunk: Buffer, nowMs: number): Frame[] {
    const frames: Frame[] = [];
    let rest = chunk;
    while (rest.length > 0 && !this.#isBroken) {
      if (this.#length === 0) rest = this.#takeLineBreaks(rest, nowMs, frames);
      if (rest.length > 0 && !this.#head) rest = this.#takeHead(rest, frames);
      if (this.#head) rest = this.#takeBody(this.#head, rest, frames);
    }
    return frames;
  }

  /** Between messages (section 7.5): every second line break completes a ping. */
  #takeLineBreaks(bytes: Buffer, nowMs: number, frames: Frame[]): Buffer {
    let at = 0;
    let isPong = false;
    for (; bytes[at] === 0x0d || bytes[at] === 0x0a; at++) {
      if (bytes[at] === 0x0d) continue;
      if (this.#isLineBreakOpen) frames.push({ kind: 'ping' });
      this.#isLineBreakOpen = !this.#isLineBreakOpen;
      isPong = this.#isLineBreakOpen;
    }
    if (isPong) frames.push({ kind: 'pong' });
    if (at < bytes.length) this.#isLineBreakOpen = false;
    this.#startedMs = nowMs;
    return bytes.subarray(at);
  }

  /** Collects up to the empty line; what is behind it is given back. */
  #takeHead(bytes: Buffer, frames: Frame[]): Buffer {
    const before = this.#length;
    this.#append(bytes.subarray(0, this.#limits.headBytesMax - before));
    const found = this.#held.subarray(0, this.#length).indexOf(emptyLine, this.#searched);
    if (found < 0) {
      this.#searched = Math.max(0, this.#length - emptyLine.length + 1);
      return this.#length < this.#limits.headBytesMax ? nothing : this.#break(frames, tooLarge);
    }
    this.#length = found + emptyLine.length;
    const head = parseHead(this.#held.toString('latin1', 0, this.#length), this.#limits);
    if (!head) return this.#break(frames, badRequest('Not SIP'));
    const { contentLength, fault } = head;
    if (contentLength === undefined) {
      return this.#break(frames, fault ?? badRequest('No Content-Length'), head);
    }
    if (contentLength > this.#limits.messageBytesMax - this.#length)
      return this.#break(frames, tooLarge, head);
    this.#head = head;
    return bytes.subarray(this.#length - before);
  }

  #takeBody(head: Head, bytes: Buffer, frames: Frame[]): Buffer {
    const headBytes = head.text.length;
    const end = headBytes + (head.contentLength ?? 0);
    const missing = end - this.#length;
    this.#append(bytes.subarray(0, missing));
    if (this.#length < end) return nothing;
    frames.push({ kind: 'message', message: messageOf(head, this.#held.subarray(headBytes, end)) });
    this.#reset();
    return bytes.subarray(missing);
  }

  /** A chunk that begins a message is held as it is; further ones are copied behind it, the room doubling. */
  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (this.#length === 0) this.#held = bytes;
    else if (length > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#held.length));
      this.#held.copy(grown, 0, 0, this.#length);
      this.#held = grown;
    }
    if (this.#length > 0) bytes.copy(this.#held, this.#length);
    this.#length = length;
  }

  #break(frames: Frame[], refusal: Refusal, head?: Head): Buffer {
    const message = head && messageOf(head, nothing);
    frames.push({ kind: 'broken', refusal, request: message?.kind === 'request' ? message : undefined });
    this.#isBroken = true;
    this.#reset();
    return nothing;
  }

  #reset(): void {
    this.#held = nothing;
    this.#length = 0;
    this.#searched = 0;
    this.#head = undefined;
  }
}

const nothing = Buffer.alloc(0);
const tooLarge: Refusal = { status: 513, reason: 'Message Too Large' };
