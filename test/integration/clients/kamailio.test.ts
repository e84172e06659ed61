import { beforeEach, describe, expect, it } from 'vitest';
import { missing } from '../../support/clients/installed.ts';
import { createKamailioTables } from '../../support/clients/kamailio/database.ts';
import { FailoverProxy } from '../../support/clients/kamailio/failover-proxy.ts';
import { KamailioRegistrar } from '../../support/clients/kamailio/registrar.ts';
import { runSipp, Sipp } from '../../support/clients/sipp.ts';
import { sipsakOptions, sipsakRegister } from '../../support/clients/sipsak.ts';
import { aorOf, aUser, usersFrom } from '../../support/clients/users.ts';
import { testDatabase } from '../../support/postgres.ts';

const users = usersFrom(1, 10);
const [user = aUser()] = users;

const absent = missing('kamailio', 'sipp', 'sipsak');

/** A registrar with these users and a database of its own. */
async function registrarOf(options: { bindings: 'database' | 'memory'; peer?: KamailioRegistrar }) {
  await using stack = new AsyncDisposableStack();
  const { url, database } = stack.use(await testDatabase('empty'));
  await createKamailioTables(database, users);
  const registrar = stack.use(await KamailioRegistrar.start({ databaseUrl: url, ...options }));
  const owned = stack.move();
  return { registrar, database, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe('foreign clients with Kamailio', () => {
  beforeEach(({ skip }) => skip(absent !== undefined, absent));

  it('register with digest, in the database and at a second registrar', async () => {
    await using first = await registrarOf({ bindings: 'database' });
    await using second = await registrarOf({ bindings: 'memory', peer: first.registrar });
    const target = first.registrar.address;
    const { responseTimesMs } = await runSipp({
      scenario: 'register',
      target,
      users,
      calls: 10,
      atATime: 5,
      keywords: { expires: 300 },
    });
    expect(responseTimesMs).toHaveLength(10);
    const { rows } = await first.database.query('select username from location');
    expect(rows).toHaveLength(10);
    await second.registrar.waitForContacts(user, 1);

    const wrong = { ...user, password: 'wrong' };
    const contact = { host: '127.0.0.1', port: 9 };
    const refused = await sipsakRegister({ target, user: wrong, contact, expiresS: 60 });
    expect(refused.isDone).toBe(false);
    const accepted = await sipsakRegister({ target, user, contact, expiresS: 60 });
    expect(accepted.isDone, accepted.output).toBe(true);
    expect(await first.registrar.contactsOf(user)).toContain(`sip:${user.name}@127.0.0.1:9`);
  });

  it('call each other through lookup and Record-Route', async () => {
    await using registrar = await registrarOf({ bindings: 'memory' });
    const target = registrar.registrar.address;
    await using callee = await Sipp.start({ scenario: 'uas', calls: 10 });
    const { isDone } = await sipsakRegister({ target, user, contact: callee.address, expiresS: 60 });
    expect(isDone).toBe(true);
    const calls = runSipp({ scenario: 'uac', target, users: [user], calls: 10, atATime: 2 });
    expect((await calls).responseTimesMs).toHaveLength(10);
    expect((await callee.done()).successful).toBe(10);
  });

  it('reach the next site when the first is gone, with Path', async () => {
    await using dead = await registrarOf({ bindings: 'memory' });
    await using living = await registrarOf({ bindings: 'memory' });
    const sites = [dead.registrar.address, living.registrar.address] as const;
    await using edge = await FailoverProxy.start({ sites, addsPath: true });
    expect((await sipsakOptions(edge.address)).isDone).toBe(true);
    for (const site of sites) await edge.waitForSite(site, 'living');
    const register = () =>
      runSipp({ scenario: 'register', target: edge.address, users, calls: 1, keywords: { expires: 300 } });
    await register();
    expect(await dead.registrar.contactsOf(user)).toHaveLength(1);
    expect(await living.registrar.contactsOf(user)).toEqual([]);
    await dead.registrar[Symbol.asyncDispose]();
    await register();
    expect(await living.registrar.contactsOf(user), aorOf(user)).toHaveLength(1);
    await edge.waitForSite(sites[0], 'dead');
  });
});
