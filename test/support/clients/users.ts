import { digestHa1 } from '../../../services/sip/auth/digest.ts';

/** Who a foreign client registers as. */
export type SipUser = { readonly name: string; readonly domain: string; readonly password: string };

/** The domain, which is the realm too, of the users of tests. */
export const domainOfUsers = 'c1.example';

/** User `n`, of the AoR that `aSubscriber(n)` has. */
export const aUser = (n = 1): SipUser => ({
  name: `user${String(n).padStart(7, '0')}`,
  domain: domainOfUsers,
  password: `secret-${n}`,
});

export const aorOf = ({ name, domain }: SipUser): string => `${name}@${domain}`;

/** What stands for the user's password in a database (MD5). */
export const ha1Of = ({ name, domain, password }: SipUser): string =>
  digestHa1('MD5', name, domain, password);

/** Users `first` to `first + count - 1`. */
export const usersFrom = (first: number, count: number): readonly SipUser[] =>
  Array.from({ length: count }, (_, i) => aUser(first + i));
