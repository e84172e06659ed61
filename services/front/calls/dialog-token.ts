import { hash } from 'node:crypto';
import type { Request } from '../../sip/message/message.ts';
import { openToken, sealToken } from '../../sip/auth/token.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';

/** One end of a dialog: a device, by its address of record and a digest of its name; null where it is no device of the pair. */
export type DialogEnd = { readonly aor: string; readonly device: string } | null;

/** What a Record-Route of ours says about the dialog it belongs to. */
export type DialogToken = { readonly caller: DialogEnd; readonly callee: DialogEnd };

/** How long requests in a dialog are let through by its token. */
export const dialogSecondsMax = 86_400;

const purpose = 'dialog';
const digestBytes = 6;
const fixedBytes = 4 + 2 * digestBytes;

/** Which device an end of a dialog is: what its flows are compared with. */
export function deviceDigest(device: string): string {
  return digest(device).toString('base64url');
}

/**
 * The user part of our Record-Route: both devices, so that later requests follow them wherever they are registered, and
 * the dialog it is for. Bound to Call-ID and the caller's tag, so that it opens no other dialog; of limited life.
 */
export function sealDialogToken(
  keys: TokenKeys,
  invite: Request,
  { caller, callee }: DialogToken,
  nowMs: number,
): string {
  const fixed = Buffer.alloc(4);
  fixed.writeUInt32BE(Math.floor(nowMs / 1000));
  const ids = [invite.callId ?? '', invite.from?.params.get('tag') ?? ''].map(digest);
  return sealToken(keys, purpose, Buffer.concat([fixed, ...ids, endBytes(caller), endBytes(callee)]));
}

/**
 * Whom a request in the dialog of this token is for; undefined where the token is none of ours, is of another dialog or
 * too old, or where the request has no To tag.
 */
export function dialogDestination(
  keys: TokenKeys,
  token: string,
  request: Request,
  nowMs: number,
): { readonly end: DialogEnd } | undefined {
  const payload = openToken(keys, purpose, token);
  const toTag = request.to?.params.get('tag');
  if (!payload || payload.length < fixedBytes || toTag === undefined) return undefined;
  const ageSeconds = nowMs / 1000 - payload.readUInt32BE(0);
  const callId = payload.subarray(4, 4 + digestBytes);
  const callerTag = payload.subarray(4 + digestBytes, fixedBytes);
  if (ageSeconds > dialogSecondsMax || !callId.equals(digest(request.callId ?? ''))) return undefined;
  const { end: caller, next } = readEnd(payload, fixedBytes);
  if (callerTag.equals(digest(request.from?.params.get('tag') ?? ''))) {
    return { end: readEnd(payload, next).end };
  }
  return callerTag.equals(digest(toTag)) ? { end: caller } : undefined;
}

/** Both ends of a dialog token that one of the keys signed, whatever its dialog. */
export function dialogEnds(keys: TokenKeys, text: string): readonly DialogEnd[] | undefined {
  const payload = openToken(keys, purpose, text);
  if (!payload || payload.length < fixedBytes) return undefined;
  const { end: caller, next } = readEnd(payload, fixedBytes);
  return [caller, readEnd(payload, next).end];
}

function endBytes(end: DialogEnd): Buffer {
  if (!end) return Buffer.alloc(2);
  const aor = Buffer.from(end.aor, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(aor.length);
  return Buffer.concat([length, aor, Buffer.from(end.device, 'base64url')]);
}

function readEnd(payload: Buffer, at: number): { readonly end: DialogEnd; readonly next: number } {
  const length = payload.readUInt16BE(at);
  if (length === 0) return { end: null, next: at + 2 };
  const deviceAt = at + 2 + length;
  const aor = payload.toString('latin1', at + 2, deviceAt);
  const device = payload.toString('base64url', deviceAt, deviceAt + digestBytes);
  return { end: { aor, device }, next: deviceAt + digestBytes };
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, digestBytes);
}
