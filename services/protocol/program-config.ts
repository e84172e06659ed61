import { z } from 'zod';
import { siteNameSchema } from './names.ts';

/**
 * What each program is told when it starts: one JSON file a program, written by `site` from
 * site.yaml, holding only what that program needs (its own database roles, its own keys).
 * Paths are absolute. Ports are fixed by the time a file is written.
 */

const portSchema = z.int().min(1).max(65_535);
export const addressSchema = z.strictObject({ host: z.string().min(1), port: portSchema });
export type Address = z.infer<typeof addressSchema>;

const databaseUrlSchema = z.url({ protocol: /^postgres(ql)?$/ });

const common = {
  site: siteNameSchema,
  /** Directory of this site's files. */
  dataDir: z.string(),
  /** Loopback address of `/health` and `/metrics`. */
  diagnostics: addressSchema,
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
};

/** PEM files of this site's certificate; replaced in place when renewed. */
const certificateFilesSchema = z.strictObject({
  keyFile: z.string(),
  certFile: z.string(),
  caFile: z.string(),
});

/** Roles of the HTTP API, each including the ones before it. */
export const roleSchema = z.enum(['viewer', 'operator', 'admin']);
export type Role = z.infer<typeof roleSchema>;

export const apiConfigSchema = z.strictObject({
  ...common,
  databases: z.strictObject({ home: databaseUrlSchema, shared: databaseUrlSchema }),
  listen: addressSchema,
  /** Plain HTTP where null: for loopback only. */
  tls: certificateFilesSchema.nullable(),
  /** Bearer tokens, by the SHA-256 of their bytes in hex. */
  tokens: z.array(
    z.strictObject({ name: z.string(), role: roleSchema, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
  /** 32 bytes, hex: the key that seals secrets before they enter tables, events and snapshots. */
  sealingKeyFile: z.string(),
  /** Where the last position of the log is kept outside the database. */
  witnessFile: z.string(),
  /** Diagnostics of this site's synchronizer, the source of replication status. */
  synchronizer: addressSchema,
  /** Diagnostics of this site's front, which tells how requests are dispatched. */
  front: addressSchema,
  peers: z.array(siteNameSchema),
});
export type ApiConfig = z.infer<typeof apiConfigSchema>;

const peerSchema = z.strictObject({
  name: siteNameSchema,
  /** Where the peer's synchronizer listens. */
  link: addressSchema,
  /** Whether this side dials; by default the site whose name sorts first. */
  dials: z.boolean(),
  /** The peer's authority: its certificate is accepted only if issued by it for the peer's name. */
  caFile: z.string(),
  /** The peer's Ed25519 public key (PEM), which signs its manifests. */
  signingPublicKeyFile: z.string(),
  /** Database that holds the copy of the peer; absent where none is kept (`receives: false`). */
  standby: databaseUrlSchema.optional(),
  /** Whether the peer's snapshots are received here and ours go there; in a ring each direction has another peer. */
  receives: z.boolean().default(true),
  sends: z.boolean().default(true),
});

/** How much of its logs, its own and the copies, a site keeps; see `synchronizer/retention/prune-to.ts`. */
const retentionSchema = z.strictObject({
  bytesMax: z.int().positive(),
  ageMaxMs: z.int().positive().nullable(),
  auditMs: z.int().positive().nullable(),
});
export type RetentionConfig = z.infer<typeof retentionSchema>;

/** An FTP server of the operator's, where peers leave this site's incoming snapshots. */
const ftpServerSchema = z.strictObject({
  address: addressSchema,
  security: z.enum(['implicit', 'explicit', 'plain']),
  user: z.string(),
  /** One line. */
  passwordFile: z.string(),
  /** Where the login leads to, if absent. */
  directory: z.string().optional(),
  /** Authority (PEM) of its certificate; those the system trusts, if absent. */
  caFile: z.string().optional(),
});
export type FtpServerConfig = z.infer<typeof ftpServerSchema>;

export const synchronizerConfigSchema = z.strictObject({
  ...common,
  databases: z.strictObject({ home: databaseUrlSchema, shared: databaseUrlSchema }),
  link: addressSchema,
  ftp: z.strictObject({
    listen: addressSchema,
    /** Host told to clients for passive connections and to peers for uploads. */
    publicHost: z.string(),
    passivePorts: z.strictObject({ min: portSchema, max: portSchema }),
    /** `plain` only where configured; status warns of it. */
    security: z.enum(['implicit', 'plain']),
    /** Takes the place of the site's own server, which then does not listen. */
    server: ftpServerSchema.optional(),
  }),
  certificate: certificateFilesSchema,
  /** This site's Ed25519 private key (PEM). */
  signingKeyFile: z.string(),
  peers: z.array(peerSchema),
  /** Chunk files: `outgoing` while exporting, `incoming` is the root of the FTP server. */
  spool: z.strictObject({ outgoing: z.string(), incoming: z.string() }),
  retention: retentionSchema,
  /** Jobs started by themselves. */
  schedules: z.array(z.strictObject({ job: z.enum(['verify']), everyMs: z.int().min(1000) })),
});
export type SynchronizerConfig = z.infer<typeof synchronizerConfigSchema>;
export type PeerConfig = z.infer<typeof peerSchema>;

/** Where SIP is spoken. What is told to others (Via, Record-Route, Path) is `advertised`. */
const sipListenerSchema = z.strictObject({
  transport: z.enum(['udp', 'tcp', 'tls']),
  listen: addressSchema,
  advertised: addressSchema,
});

export const frontConfigSchema = z.strictObject({
  ...common,
  databases: z.strictObject({ home: databaseUrlSchema, shared: databaseUrlSchema }),
  /** Where the last position of the registration log is kept outside the database. */
  witnessFile: z.string(),
  listeners: z.array(sipListenerSchema).min(1),
  /** For TLS with devices, and with peers' fronts, which show theirs. */
  certificate: certificateFilesSchema,
  /** 32 bytes, hex: signs flow tokens and dialog tokens; those of the peers open theirs. */
  tokenKeyFile: z.string(),
  /** Unix sockets of the processors, in the order in which they are asked: home first. */
  processors: z.array(
    z.strictObject({ owner: siteNameSchema, role: z.enum(['home', 'standby']), socket: z.string() }),
  ),
  peers: z.array(
    z.strictObject({
      name: siteNameSchema,
      /** Where the peer's front listens for TLS; null where the peer was not told of one. */
      sip: addressSchema.nullable(),
      caFile: z.string(),
      tokenKeyFile: z.string(),
    }),
  ),
  /** Diagnostics of this site's synchronizer: whether the link to a peer is up. */
  synchronizer: addressSchema,
  /** Call records, one JSON a line, in rotated files. */
  callRecords: z.string(),
});
export type FrontConfig = z.infer<typeof frontConfigSchema>;

export const processorConfigSchema = z.strictObject({
  ...common,
  role: z.enum(['home', 'standby']),
  /** The site whose subscribers it serves; another than `site` at a standby. */
  owner: siteNameSchema,
  /** `home`, or the standby database of `owner`. */
  database: databaseUrlSchema,
  /** Unix socket it listens on. */
  socket: z.string(),
  /** 32 bytes, hex: opens the secrets of `owner`. */
  sealingKeyFile: z.string(),
  /** 32 bytes, hex: this site's own, signs nonces. */
  nonceKeyFile: z.string(),
});
export type ProcessorConfig = z.infer<typeof processorConfigSchema>;
