import type { DispatchRule } from '../../model/dispatch-rule.ts';

/** The rule of this action that decides for an address `user@domain`: the most specific one, of equals the first by name. */
export function ruleFor(
  rules: readonly DispatchRule[],
  action: DispatchRule['action'],
  address: string,
): DispatchRule | undefined {
  const matching = rules.filter((rule) => rule.action === action && specificity(rule.matches, address) > 0);
  return matching.sort(
    (a, b) => specificity(b.matches, address) - specificity(a.matches, address) || (a.name < b.name ? -1 : 1),
  )[0];
}

/** How closely it matches; 0 where it does not. */
function specificity(matches: string, address: string): number {
  const [user = '', domain = ''] = address.split('@');
  if (matches === address) return 5;
  const range = matches.split('..');
  const [from, to] = range;
  if (range.length === 2 && from !== undefined && to !== undefined) return isWithin(from, to, user, address);
  if (matches === '*') return 1;
  if (matches.endsWith('*')) return user.startsWith(matches.slice(0, -1)) ? 3 : 0;
  return matches === domain ? 2 : 0;
}

/** Both ends count. Numbers of one length are compared as they stand; ends with a domain are compared with it. */
function isWithin(from: string, to: string, user: string, address: string): number {
  const text = from.includes('@') ? address : user;
  const isNumber = /^\d+$/.test(from) && /^\d+$/.test(to);
  if (isNumber && (!/^\d+$/.test(text) || text.length !== from.length)) return 0;
  return text >= from && text <= to ? 4 : 0;
}
