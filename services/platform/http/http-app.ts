import type { Server } from 'node:http';
import type { FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from '../logging/logger.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers without a token. */
    public?: boolean | undefined;
  }
}

/** The fastify instance routes are registered on; their schemas are zod's. */
export type HttpApp = FastifyInstance<
  Server,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  Logger,
  ZodTypeProvider
>;
