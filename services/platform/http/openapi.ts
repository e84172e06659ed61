import swagger from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { problemSchema } from '../../protocol/errors/problem.ts';
import type { HttpApp } from './http-app.ts';

const problemAnswer = {
  description: 'Every failure',
  content: { 'application/problem+json': { schema: problemSchema } },
};

/** Serves the description of all routes registered after it (OpenAPI 3.1) at /openapi.json. */
export async function describeApi(
  app: HttpApp,
  { title, version }: { readonly title: string; readonly version: string },
): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.schema = {
      ...route.schema,
      response: { default: problemAnswer, ...(route.schema?.response as object | undefined) },
    };
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, version },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
  });
  app.get('/openapi.json', { config: { public: true }, schema: { hide: true } }, () => app.swagger());
}
