import { z } from 'zod';
import { offerSchema } from './offer.ts';

/** What the two sites say to each other: POST `join`, then POST `confirm`, with the invitation's secret as bearer token. */
export const paths = { join: '/v1/join', confirm: '/v1/confirm' } as const;

export const joinSchema = z.strictObject({ offer: offerSchema });

/** The inviting site's own offer; it has recorded the joining one by then. */
export const joinedSchema = z.strictObject({ offer: offerSchema });

/** The joining site has recorded the inviting one. */
export const confirmedSchema = z.strictObject({ confirmed: z.literal(true) });
