import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { siteNameSchema } from '../../protocol/names.ts';
import { Secret } from '../../platform/logging/secret.ts';

const headSchema = z.strictObject({
  /** Format of the token. */
  v: z.literal(1),
  site: siteNameSchema,
  /** host:port where the invitation waits. */
  at: z.string().max(300),
  /** Of the invitation; hex. */
  secret: z.string().regex(/^[0-9a-f]{64}$/),
  /** Seconds since 1970. */
  expires: z.int(),
  sends: z.boolean(),
  receives: z.boolean(),
});

/** An invitation as it is carried to the other site, by hand. Whoever has it may become the peer. */
export type Invitation = {
  readonly site: string;
  readonly at: string;
  readonly secret: Secret;
  readonly expiresMs: number;
  /** Which copies are kept, as the inviting site sees it. */
  readonly sends: boolean;
  readonly receives: boolean;
  /** DER of the inviting site's authority: the one who answers must have a certificate of it. */
  readonly authority: Uint8Array;
};

const lengthBytes = 2;

/** base64url of: length of the head (16 bits), the head (JSON), the authority's certificate (DER). */
export function encodeToken({ authority, secret, expiresMs, site, at, sends, receives }: Invitation): string {
  const expires = Math.floor(expiresMs / 1_000);
  const head = Buffer.from(
    JSON.stringify({ v: 1, site, at, secret: secret.reveal(), expires, sends, receives }),
  );
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt16BE(head.length);
  return Buffer.concat([length, head, authority]).toString('base64url');
}

/** White space of a terminal's line breaks does not matter. @throws PAIRING_TOKEN_INVALID */
export function decodeToken(token: string): Invitation {
  const text = token.replaceAll(/\s+/g, '');
  const bytes = Buffer.from(text, 'base64url');
  try {
    if (bytes.toString('base64url') !== text) throw new Error('not base64url');
    const end = lengthBytes + bytes.readUInt16BE();
    const {
      secret,
      expires,
      v: _v,
      ...head
    } = headSchema.parse(JSON.parse(bytes.toString('utf8', lengthBytes, end)));
    const authority = bytes.subarray(end);
    if (authority.length === 0) throw new Error('cut off');
    return { ...head, secret: new Secret(secret), expiresMs: expires * 1_000, authority };
  } catch (cause) {
    throw new DualhomeError('PAIRING_TOKEN_INVALID', { cause });
  }
}
