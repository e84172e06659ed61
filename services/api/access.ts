import type { HttpServer } from '../platform/http/server.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { Role } from '../protocol/program-config.ts';
import type { ApiContext } from './context.ts';
import { includesRole } from './principal.ts';
import type { Principal } from './principal.ts';

type Request = Parameters<HttpServer<Principal>['principalOf']>[0];

/** The `onRequest` hook that lets in whoever has the role. */
export function allow(
  { server }: Pick<ApiContext, 'server'>,
  needed: Role,
): (request: Request) => Promise<void> {
  return async (request) => {
    const { name, role } = server.principalOf(request);
    if (includesRole(role, needed)) return;
    throw new DualhomeError('API_FORBIDDEN', {
      detail: `${name} is a ${role}; this takes the role ${needed}.`,
    });
  };
}
