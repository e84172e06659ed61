import { registerRoutes } from '../../../services/api/routes/index.ts';
import type { ApiContext } from '../../../services/api/context.ts';
import { createHttpServer } from '../../../services/platform/http/server.ts';
import { createLogger } from '../../../services/platform/logging/logger.ts';
import { markdownTable } from './markdown.ts';

/** As much of OpenAPI 3.1 as the api's own description uses. */
type Schema = {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly const?: string | number | boolean | null;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
};
type Content = Readonly<Record<string, { readonly schema: Schema }>>;
type Operation = {
  readonly summary?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
};
type Description = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

/** Every route of the HTTP API, from the description it serves. */
export async function apiReference(): Promise<string> {
  const { paths } = await describeApi();
  const sections = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) =>
      section(`${method.toUpperCase()} ${path}`, operation),
    ),
  );
  return [
    '# The HTTP API',
    'The same as the command does. Every request carries `Authorization: Bearer TOKEN`; the tokens of the three roles (viewer, operator, admin) are in `secrets/` of the site. Each failure is a problem (RFC 9457, `application/problem+json`) with a code of [errors.md](errors.md), what to do, and whether a retry helps. The complete description (OpenAPI 3.1) is served at `/openapi.json`.',
    ...sections,
  ].join('\n\n');
}

/** The routes are only registered, never served, so of the context they use nothing but the server. */
async function describeApi(): Promise<Description> {
  await using server = await createHttpServer({
    title: 'dualhome',
    version: '',
    logger: createLogger({ program: 'docs' }),
    authenticate: () => Promise.resolve(undefined),
  });
  registerRoutes({ server } as unknown as ApiContext);
  await server.app.ready();
  return server.app.swagger() as unknown as Description;
}

function section(
  title: string,
  { summary = '', parameters = [], requestBody, responses }: Operation,
): string {
  const rows = parameters.map(({ name, in: place, required, schema }) => [
    `\`${name}\``,
    place,
    typeOf(schema),
    required ? 'required' : defaultOf(schema),
  ]);
  const body = fieldsOf(requestBody?.content);
  const answer = Object.entries(responses).find(([status]) => status.startsWith('2'));
  return [
    `## ${title}`,
    `${summary}.`,
    ...(rows.length > 0 ? [markdownTable(['parameter', 'in', 'type', 'default'], rows)] : []),
    ...(body ? [`Body: ${body}`] : []),
    ...(answer ? [`Answer: ${answer[0]}${prefixed(fieldsOf(answer[1].content))}`] : []),
  ].join('\n\n');
}

function prefixed(fields: string | undefined): string {
  return fields === undefined ? '' : `, ${fields}`;
}

function fieldsOf(content: Content | undefined): string | undefined {
  const [entry] = Object.entries(content ?? {});
  if (!entry) return undefined;
  const [mediaType, { schema }] = entry;
  return `${mediaType}: ${typeOf(schema)}`;
}

/** A type in the words of TypeScript, one level of objects deep. */
function typeOf(schema: Schema, isInner = false): string {
  const { properties, required = [], items, enum: values } = schema;
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return [...new Set(union.map((each) => typeOf(each, isInner)))].join(' or ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (values) return values.map((value) => `\`${value}\``).join(' or ');
  if (items) return `${typeOf(items, true)}[]`;
  if (!properties) return [schema.type ?? 'any'].flat().join(' or ');
  if (isInner) return 'object';
  const fields = Object.entries(properties).map(
    ([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${typeOf(field, true)}`,
  );
  return `{ ${fields.join(', ')} }`;
}

function defaultOf({ default: value }: Schema): string {
  return value === undefined || value === '' ? '' : `\`${JSON.stringify(value)}\``;
}
