import { z } from 'zod';
import { DualhomeError } from '../errors/index.ts';
import type { RawFrame } from './decoder.ts';
import { decodeEvents } from './events-frame.ts';
import type { EventsFrame } from './events-frame.ts';
import { controlSchemas, FrameType } from './frame.ts';
import { frameBytesMax } from './limits.ts';

export type ControlName = keyof typeof controlSchemas;
export type ControlBody<N extends ControlName> = z.infer<(typeof controlSchemas)[N]>;

/** A decoded frame, told apart by `name`. */
export type Frame =
  | { readonly [N in ControlName]: { readonly name: N; readonly body: ControlBody<N> } }[ControlName]
  | { readonly name: 'events'; readonly body: EventsFrame; readonly bytes: number };

const nameOf: ReadonlyMap<number, keyof typeof FrameType> = new Map(
  Object.entries(FrameType).map(([name, type]) => [type, name as keyof typeof FrameType]),
);

/** A frame of JSON. @throws LINK_FRAME_INVALID where it would be too large for the other end */
export function encodeControl<N extends ControlName>(name: N, body: ControlBody<N>): Buffer {
  const text = JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  const frame = encodeHead(FrameType[name], bytes, bytes);
  frame.write(text, headBytes);
  return frame;
}

const headBytes = 5;

/** Length and type of a frame, with `room` for as many bytes of its payload; the rest is sent after it. */
export function encodeHead(type: FrameType, payloadBytes: number, room = 0): Buffer {
  if (payloadBytes + 1 > frameBytesMax) {
    throw new DualhomeError('LINK_FRAME_INVALID', {
      detail: `a frame of ${payloadBytes + 1} bytes, at most ${frameBytesMax} are possible`,
    });
  }
  const head = Buffer.allocUnsafe(headBytes + room);
  head.writeUInt32BE(payloadBytes + 1, 0);
  head.writeUInt8(type, 4);
  return head;
}

/** @throws LINK_FRAME_INVALID for an unknown type or a payload that is not of it */
export function decodeFrame({ type, payload }: RawFrame): Frame {
  const name = nameOf.get(type);
  if (name === undefined) throw invalid(`type ${type} is unknown`);
  if (name === 'events') return { name, body: decodeEvents(payload), bytes: payload.length };
  return { name, body: parseControl(name, payload) } as Frame;
}

function parseControl(name: ControlName, payload: Buffer): unknown {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString());
  } catch (cause) {
    throw invalid(`${name}: not JSON`, cause);
  }
  const parsed = controlSchemas[name].safeParse(value);
  if (!parsed.success) throw invalid(`${name}: ${z.prettifyError(parsed.error)}`, parsed.error);
  return parsed.data;
}

function invalid(detail: string, cause?: unknown): DualhomeError {
  return new DualhomeError('LINK_FRAME_INVALID', { detail, cause });
}
