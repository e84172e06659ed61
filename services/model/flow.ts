import { z } from 'zod';
import { siteNameSchema } from '../protocol/names.ts';
import { aor, sipUri } from './common.ts';
import { flag, integer, list, optionalText, plainText, text } from './field.ts';
import { defineKind } from './kind.ts';
import type { RowOf } from './kind.ts';

/** Text without a space, so that three of them make a key; no control characters. */
const word = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\s\p{Cc}]+$/u, 'no spaces or control characters');

const instant = z.iso.datetime({ precision: 3 });

/** A position of a peer's registration log: site, incarnation, seq. */
const seenPosition = z
  .string()
  .max(96)
  .regex(/^[a-z][a-z0-9-]* [0-9a-f-]{36} [0-9]{1,16}$/, 'site, incarnation and seq');

const deviceMax = 540;
/** user@domain, the device and the reg-id with the spaces between them. */
const keyMax = 320 + 1 + deviceMax + 1 + 10;

/**
 * A binding of a device at the site whose registration log it is in (RFC 3261 section 10, RFC 5626): one row for each
 * (AoR, device, reg-id), written only by the front that accepted it. Not configuration, so not among `kinds`.
 */
export const flow = defineKind({
  name: 'flow',
  table: 'flows',
  title: 'Flow',
  description: 'Where a device is registered, as the site that accepted the registration recorded it.',
  fields: {
    key: text(
      z
        .string()
        .max(keyMax)
        .regex(/^\S+ \S+ [0-9]+$/, 'aor, device and reg_id'),
      'AoR, device and reg-id, one space between',
    ),
    aor: text(aor, 'The address of record it is bound to'),
    device: text(
      word(deviceMax),
      'The +sip.instance URN; else device:NAME of the configured access device; else contact:URI without port and parameters',
    ),
    reg_id: integer(
      z.int().min(0).max(2_147_483_647),
      'reg-id (RFC 5626); 0 where the device does not do outbound',
    ),
    owner: text(siteNameSchema, 'The site whose subscriber it is'),
    contact: text(sipUri, 'The Contact URI as it was registered'),
    path: list(word(1024), 8, 'Path of the registration (RFC 3327), in the order given'),
    edge: text(word(512), 'URI of the front that accepted it, with its signed flow token'),
    call_id: text(word(256), 'Call-ID of the registration'),
    cseq: integer(z.int().min(0).max(4_294_967_295), 'CSeq; orders only within one Call-ID at one site'),
    q: integer(z.int().min(0).max(1000), 'Preference in thousandths (RFC 3261 section 20.10)'),
    user_agent: optionalText(plainText(256), 'User-Agent, as given'),
    source: text(word(80), 'Where the REGISTER came from: transport:address:port'),
    registered_at: text(instant, 'When it was accepted, by the clock of the site that did'),
    expires_at: text(instant, 'The stored expiry, by the clock of the site that accepted it'),
    seen: list(
      seenPosition,
      16,
      'What was last applied here of each peer, `site incarnation seq`, when it was accepted: the causal order',
    ),
    gone: flag(
      false,
      'Deregistered; kept until it expires, since it still supersedes a binding at another site',
    ),
  },
});

/** The key of a flow. */
export const flowKey = (aorText: string, device: string, regId: number): string =>
  `${aorText} ${device} ${regId}`;

export type FlowRow = RowOf<typeof flow.fields>;
