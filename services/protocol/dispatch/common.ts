import { z } from 'zod';

/** Where a request came from; an IPv6 address has no brackets. */
export const sourceSchema = z.strictObject({
  transport: z.enum(['udp', 'tcp', 'tls']),
  address: z.string().max(64),
  port: z.int().min(0).max(65_535),
});
export type Source = z.infer<typeof sourceSchema>;

/** `udp:192.0.2.1:5060`, as events and screens show it. */
export const sourceText = ({ transport, address, port }: Source): string =>
  `${transport}:${address.includes(':') ? `[${address}]` : address}:${port}`;

/** Who sends: where from, and the SHA-256 of the certificate the connection came with, whoever issued it. */
export const senderSchema = z.strictObject({
  source: sourceSchema,
  certificateSha256: z.string().length(64).nullable(),
});
export type Sender = z.infer<typeof senderSchema>;

/** Whom a request names: user without escapes, host in lower case with the port that was written. */
export const partySchema = z.strictObject({ user: z.string().max(256), host: z.string().max(260) });
export type Party = z.infer<typeof partySchema>;

/** Digest credentials as they came (RFC 7616 section 3.4), well-formed but not yet believed. */
export const credentialsSchema = z.strictObject({
  username: z.string().max(256),
  realm: z.string().max(256),
  response: z.string().max(64),
  algorithm: z.enum(['MD5', 'SHA-256']),
  method: z.string().max(32),
  uri: z.string().max(1024),
  nonce: z.string().max(256),
  qop: z.strictObject({ nonceCount: z.string().length(8), cnonce: z.string().max(256) }).nullable(),
});
export type CredentialFacts = z.infer<typeof credentialsSchema>;

/** What a client is asked for; `stale`: the credentials were right, the nonce was not. */
export const challengeSchema = z.strictObject({
  kind: z.literal('challenge'),
  realm: z.string(),
  nonce: z.string(),
  algorithm: z.enum(['MD5', 'SHA-256']),
  stale: z.boolean(),
});
export type Challenge = z.infer<typeof challengeSchema>;

/**
 * The processor does not know the user: the next one is asked. Where it knows the domain it says what to answer if
 * nobody knows the user, so that this looks as a wrong password does.
 */
export const notMineSchema = z.strictObject({
  kind: z.literal('not-mine'),
  challenge: challengeSchema.nullable(),
});

/** Not served; `status` as SIP counts (RFC 3261 section 21), 503 where the standby is not ready. */
export const refusedSchema = z.strictObject({
  kind: z.literal('refused'),
  status: z.int().min(300).max(699),
  reason: z.string().max(128),
});
export type Refused = z.infer<typeof refusedSchema>;
