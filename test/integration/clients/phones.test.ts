import { beforeEach, describe, expect, it } from 'vitest';
import { Baresip } from '../../support/clients/baresip.ts';
import { missing } from '../../support/clients/installed.ts';
import { createKamailioTables } from '../../support/clients/kamailio/database.ts';
import { KamailioRegistrar } from '../../support/clients/kamailio/registrar.ts';
import { Linphonec } from '../../support/clients/linphonec.ts';
import { aorOf, aUser, usersFrom } from '../../support/clients/users.ts';
import { NetworkNamespace } from '../../support/network-namespace.ts';
import { testDatabase } from '../../support/postgres.ts';

const users = usersFrom(1, 2);
const [caller = aUser(1), callee = aUser(2)] = users;

/** Registrars in memory, with one database. */
async function registrarsOf(count: number, host?: string) {
  await using stack = new AsyncDisposableStack();
  const { url, database } = stack.use(await testDatabase('empty'));
  await createKamailioTables(database, users);
  const start = () => KamailioRegistrar.start({ databaseUrl: url, bindings: 'memory', host });
  const registrars = [];
  for (let n = 0; n < count; n += 1) registrars.push(stack.use(await start()));
  const [first, second] = registrars;
  if (!first) throw new Error('no registrar');
  const owned = stack.move();
  return {
    first,
    second,
    sites: registrars.map(({ address }) => address),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

describe('phones with Kamailio', () => {
  beforeEach(({ skip }) => {
    const absent = missing('kamailio');
    skip(absent !== undefined, absent);
  });

  it('baresip registers twice, calls, is called, and leaves', async ({ skip }) => {
    const absent = missing('baresip') ?? (await NetworkNamespace.missing());
    skip(absent !== undefined, absent);
    await using network = await NetworkNamespace.create();
    await using registrars = await registrarsOf(2, network.hostAddress);
    const { first, second, sites } = registrars;
    await using phone = await Baresip.start({ user: callee, sites, network });
    await phone.registered(1);
    await phone.registered(2);
    expect(await first.contactsOf(callee)).toHaveLength(1);
    expect(await second?.contactsOf(callee)).toHaveLength(1);

    await using other = await Baresip.start({ user: caller, sites: [first.address], network });
    await other.registered(1);
    await other.call(`sip:${aorOf(callee)}`);
    await phone.answered();
    other.hangUp();
    await other.quit();
    expect(await first.contactsOf(caller)).toEqual([]);
  });

  it('linphone registers, calls, is called, and leaves', async ({ skip }) => {
    const absent = missing('linphonec');
    skip(absent !== undefined, absent);
    await using registrars = await registrarsOf(1);
    const { first } = registrars;
    await using phone = await Linphonec.start({ user: callee, site: first.address });
    await phone.registered();
    await using other = await Linphonec.start({ user: caller, site: first.address });
    await other.registered();
    await other.call(`sip:${aorOf(callee)}`);
    await phone.answered();
    other.hangUp();
    await other.quit();
    expect(await first.contactsOf(caller)).toEqual([]);
    expect(await first.contactsOf(callee)).toHaveLength(1);
  });
});
