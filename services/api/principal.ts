import { hash } from 'node:crypto';
import type { Actor } from '../protocol/event.ts';
import type { ApiConfig, Role } from '../protocol/program-config.ts';
import { roleSchema } from '../protocol/program-config.ts';

/** Who asks: the name and role of a token. */
export type Principal = { readonly name: string; readonly role: Role };

/** The holder of a bearer token; tokens are known by their hashes only. */
export function principals(tokens: ApiConfig['tokens']): (token: string) => Promise<Principal | undefined> {
  const byHash = new Map(tokens.map(({ sha256, name, role }) => [sha256, { name, role }]));
  return async (token) => byHash.get(hash('sha256', token, 'hex'));
}

/** Whether `role` includes `needed`: a viewer reads, an operator changes configuration and jobs, an admin does all. */
export function includesRole(role: Role, needed: Role): boolean {
  return roleSchema.options.indexOf(role) >= roleSchema.options.indexOf(needed);
}

/** The principal as events name it; `from` is the address of the request. */
export const actorOf = ({ name, role }: Principal, from: string): Actor => ({ name, role, from });
