import { z } from 'zod';
import { siteNameSchema } from '../names.ts';

export const distributionAorsMax = 500;

/** Addresses of record behind `after`, in order; only those that begin with `prefix` where it is given. */
export const distributionQuerySchema = z.object({
  after: z.string().max(512).optional(),
  prefix: z.string().max(320).optional(),
  limit: z.coerce.number().int().min(1).max(distributionAorsMax).default(50),
});

/** How a flow stands to others of the same device and reg-id. */
export const flowStandingSchema = z.enum(['preferred', 'alternative', 'superseded']);

/** A flow; its `seq` is that of the event in the registration log of `site` that left it so. */
export const distributedFlowSchema = z.object({
  site: siteNameSchema,
  standing: flowStandingSchema,
  why: z.string(),
  device: z.string(),
  regId: z.int(),
  contact: z.string(),
  path: z.array(z.string()),
  q: z.int(),
  source: z.string(),
  userAgent: z.string().nullable(),
  since: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  seq: z.int().positive(),
  /** Set while nothing is heard of the site that accepted it: it may have changed since then. */
  unknownSince: z.iso.datetime().nullable(),
});
export type DistributedFlow = z.infer<typeof distributedFlowSchema>;

/** Where the devices of one address of record are: those preferred first, device by device. */
export const distributedAorSchema = z.object({
  aor: z.string(),
  owner: siteNameSchema,
  flows: z.array(distributedFlowSchema),
});
export type DistributedAor = z.infer<typeof distributedAorSchema>;

/** What is registered at a site, as this site knows it. */
export const distributedSiteSchema = z.object({
  site: siteNameSchema,
  flows: z.int().nonnegative(),
  unknownSince: z.iso.datetime().nullable(),
});
export type DistributedSite = z.infer<typeof distributedSiteSchema>;

/** A page; `next` is the `after` of the following one, null at the end. */
export const distributionPageSchema = z.object({
  sites: z.array(distributedSiteSchema),
  aors: z.array(distributedAorSchema),
  next: z.string().nullable(),
});
export type DistributionPage = z.infer<typeof distributionPageSchema>;
