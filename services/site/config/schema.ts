import { z } from 'zod';
import { siteNameSchema } from '../../protocol/names.ts';
import { addressText, durationText, hostText, portRangeText } from './values.ts';

const databaseText = z
  .string()
  .refine(
    (text) => text === 'embedded' || (/^postgres(ql)?:/.test(text) && URL.canParse(text)),
    'Expected "embedded" or a URL such as postgres://admin:password@db.example:5432/home',
  );

const peerSchema = z.strictObject({
  name: siteNameSchema.describe('Name of the peer.'),
  link: addressText.describe('Where the peer is reached, as it told at pairing.'),
  dials: z
    .boolean()
    .optional()
    .describe('Whether this site opens the connection. Left out: the site whose name sorts first does.'),
  sends: z.boolean().default(true).describe('Whether the peer keeps a copy of this site.'),
  receives: z.boolean().default(true).describe('Whether this site keeps a copy of the peer.'),
  sip: addressText
    .optional()
    .describe('Where the SIP front of the peer is reached over TLS, as it told at pairing.'),
  standby: databaseText.default('embedded').describe('The database that holds the copy of the peer.'),
});

const ftpServerSchema = z.strictObject({
  address: addressText.describe('Its control port.'),
  security: z
    .enum(['implicit', 'explicit', 'plain'])
    .default('explicit')
    .describe(
      'explicit: TLS by AUTH TLS. implicit: TLS from the first byte. plain: no encryption; status warns of it.',
    ),
  user: z.string().min(1).describe('Who may write, read, list, rename and remove files there.'),
  password_file: z
    .string()
    .min(1)
    .describe('Holds the password; relative to this file, readable by its owner only.'),
  directory: z
    .string()
    .min(1)
    .optional()
    .describe('Where the files go; where the login leads to, if left out.'),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .describe('Authority of its certificate (PEM); those the system trusts, if left out.'),
});

const sipListener = (description: string) =>
  z
    .strictObject({
      advertised: addressText
        .optional()
        .describe('What others are told, where that is another address than public_host with the same port.'),
      listen: addressText.describe('Where it listens.'),
    })
    .optional()
    .describe(description);

/**
 * What site.yaml may hold. The commented template and the reference are made from the descriptions; every
 * key but `site` and the addresses may be left out.
 */
export const siteConfigSchema = z.strictObject({
  site: siteNameSchema.describe(
    'Name of this site: a lower-case letter, then letters, digits, hyphens. It cannot be changed later.',
  ),
  data_dir: z
    .string()
    .min(1)
    .default('data')
    .describe('Where everything of this site is kept; relative to this file.'),
  public_host: hostText.describe('Host name or address under which peers reach this machine.'),
  postgres: z
    .strictObject({
      home: databaseText.default('embedded').describe("This site's configuration and its log."),
      shared: databaseText.default('embedded').describe('Jobs and alarms.'),
    })
    .prefault({})
    .describe(
      'Databases: "embedded" (a server of its own for each, started and watched by dualhome) or the URL of a database ' +
        'of yours (PostgreSQL 17 or later; the role owns the database and may create roles).',
    ),
  sip: z
    .strictObject({
      udp: sipListener('Datagrams; most phones.'),
      tcp: sipListener('Streams, for large messages.'),
      tls: sipListener("Streams with this site's certificate; peers and third-party sites come here, too."),
    })
    .optional()
    .describe(
      'Where devices, third-party sites and the fronts of the peers speak SIP. Left out: no telephony here.',
    ),
  link: z
    .strictObject({ listen: addressText.describe('TCP, TLS 1.3 with certificates on both ends.') })
    .describe('The connection to the peers. Peers have to reach this port.'),
  ftp: z
    .strictObject({
      listen: addressText.describe('Control connections.'),
      passive_ports: portRangeText.describe('Data connections, one port each: first-last.'),
      security: z
        .enum(['implicit', 'plain'])
        .default('implicit')
        .describe('implicit: FTPS with certificates on both ends. plain: no encryption; status warns of it.'),
      server: ftpServerSchema
        .optional()
        .describe(
          'An FTP server of yours in place of the one this site runs: peers leave their snapshots there, this site ' +
            'fetches them. Name it at both sites for both directions. Peers are told how to log in.',
        ),
    })
    .describe('Snapshot files from the peers. Peers have to reach these ports.'),
  api: z
    .strictObject({
      listen: addressText.describe('HTTP API, used by the dualhome command and by provisioning.'),
      tls: z.boolean().default(false).describe("HTTPS with the site's certificate; wanted beyond loopback."),
    })
    .describe('The HTTP API.'),
  pairing: z
    .strictObject({ listen: addressText.describe('Open only while `dualhome pair invite` waits.') })
    .describe('Where a new peer joins.'),
  loopback_ports: portRangeText.describe(
    "Ports on 127.0.0.1 for embedded databases and for the programs' /health and /metrics: first-last.",
  ),
  peers: z.array(peerSchema).max(16).default([]).describe('Written by `dualhome pair`.'),
  schedules: z
    .strictObject({
      verification: durationText
        .prefault('1h')
        .describe('How often standby and home are compared; or never.'),
    })
    .prefault({})
    .describe('Jobs started by themselves.'),
  log_retention: z
    .strictObject({
      size_mb_max: z
        .int()
        .min(1)
        .default(10_240)
        .describe(
          'Of each log, in MB; beyond it the oldest events go, also those a peer lacks that is away (it needs a resync then).',
        ),
      age_max: durationText
        .prefault('never')
        .describe('Events older than this go once every peer has applied them; or never.'),
      audit: durationText
        .prefault('never')
        .describe(
          'Events younger than this are kept even beyond the size, such as 365d; never: no such wish.',
        ),
    })
    .prefault({})
    .describe("How much of the logs is kept: this site's own, and the copies of its peers'."),
  log_level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least level that is logged.'),
  limits: z
    .strictObject({
      disk_free_mb_min: z
        .int()
        .min(0)
        .default(512)
        .describe('Free space under data_dir below which the site does not start, in MB.'),
    })
    .prefault({})
    .describe('Limits.'),
});

export type SiteConfig = z.infer<typeof siteConfigSchema>;
export type NamedFtpServer = z.infer<typeof ftpServerSchema>;
export type SitePeer = SiteConfig['peers'][number];
