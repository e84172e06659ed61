import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thirdPartySite } from '../../services/model/third-party-site.ts';
import { createAuthority, issueCertificate } from '../../services/platform/tls/certificates.ts';
import { siteUri } from '../../services/protocol/site-uri.ts';
import { CallSites } from '../support/call-sites.ts';
import { emergencyNumber, numberOf } from '../support/call-sites-configuration.ts';
import type { DeviceName } from '../support/call-sites-configuration.ts';
import { StreamClient } from '../support/sip-clients.ts';
import { aRequest } from '../support/sip-messages.ts';
import { SoftPhone } from '../support/soft-phone.ts';

let sites: CallSites;

beforeAll(async () => {
  sites = await CallSites.start();
  await sites.talk('a1', 'a3');
}, 120_000);
afterAll(() => sites[Symbol.asyncDispose](), 120_000);

/** The URI that c2 puts in front when it hands a request over for this device of c1. */
async function edgeOf(name: DeviceName): Promise<string> {
  const database = await sites.pair.c1.database('shared');
  const { rows } = await database.query<{ edge: string }>(
    'select edge from own.flows where aor = $1 and not gone',
    [`${name}@example.com`],
  );
  return rows[0]?.edge ?? '';
}

function expectSilence(...names: readonly DeviceName[]): void {
  for (const name of names) {
    const { incoming, requests } = sites.phones[name];
    expect(incoming.size + requests.size).toBe(0);
  }
}

describe('a real site refuses', () => {
  it('a REGISTER for the address of record of another user, and who he is stays registered', async () => {
    const { a1, a2 } = sites.phones;
    const takeover = await a1.request('REGISTER', 'sip:example.com', {
      to: `<sip:${a2.aor}>`,
      headers: [['Contact', `<${a1.contact}>;expires=600`]],
    });
    // Asked again for that very subscriber's credentials, which shows nobody who exists.
    expect(takeover).toMatchObject({ status: 401 });
    await sites.talk('a3', 'a2');
    expectSilence('a1');
  });

  it('calls without credentials, and as somebody else', async () => {
    const { a1 } = sites.phones;
    expect(await a1.call(numberOf.a2, { anonymous: true }).status()).toBe(407);
    expect(await a1.call(numberOf.a2, { from: '<sip:a2@example.com>' }).status()).toBe(403);
    await using stranger = await SoftPhone.open(
      { user: 'x', domain: 'elsewhere.org' },
      await sites.pair.c1.sip(),
    );
    expect(await stranger.call('sip:a2@example.com').status()).toBe(403);
    expect(await stranger.call(`sip:${emergencyNumber}@example.com`).status()).toBe(403);
    expectSilence('a2', 'a5');
  });

  const forged = async (): Promise<ConnectionOptions> => {
    const authority = await createAuthority({ name: 'c2', days: 1 });
    const uris = [siteUri('c2')];
    const { certificatePem, privateKeyPem } = await issueCertificate(authority, {
      name: 'c2',
      uris,
      days: 1,
    });
    return { cert: certificatePem, key: privateKeyPem.reveal() };
  };

  it.each([
    ['without a certificate', async () => ({})],
    ["with a certificate in the peer's name by another authority", forged],
  ] as const)("what a peer may do, from the peer's address %s", async (_, identity) => {
    const { host, port } = await sites.pair.c1.sip('tls');
    const socket = connect({ host, port, rejectUnauthorized: false, ...(await identity()) });
    await once(socket, 'secureConnect');
    await using client = new StreamClient(socket);
    for (const method of ['INVITE', 'MESSAGE']) {
      const unique = randomUUID();
      const request = aRequest(method, {
        uri: sites.phones.a2.contact,
        fields: {
          Via: `SIP/2.0/TLS ${host}:5061;branch=z9hG4bK${unique}`,
          From: '<sip:a3@example.com>;tag=1',
          Route: `<${await edgeOf('a2')}>`,
          'Call-ID': unique,
        },
      });
      client.send(request.toBuffer());
      expect((await client.response()).status).toBe(407);
    }
    expectSilence('a2');
  });

  it('a third party what a peer may do, and what only subscribers may', async () => {
    const { c1 } = sites.pair;
    await using party = await SoftPhone.open({ user: 'a1' }, await c1.sip());
    const row = { name: 'c9', addresses: [`127.0.0.1:${party.port}`], transport: 'udp', probe: false };
    const { seq } = await c1.put(
      thirdPartySite,
      thirdPartySite.schema.parse({ ...row, certificate_sha256: null }),
    );
    await c1.waitServing('processor-home', seq);
    const handedOver = party.call(sites.phones.a2.contact, {
      headers: [['Route', `<${await edgeOf('a2')}>`]],
      anonymous: true,
    });
    expect(await handedOver.status()).toBe(404);
    // No transit, whoever is named.
    const asserted = [['P-Asserted-Identity', '<sip:a3@example.com>']] as const;
    for (const headers of [[], asserted]) {
      expect(await party.call(numberOf.a5, { headers, anonymous: true }).status()).toBe(403);
    }
    const to = `<sip:${party.aor}>`;
    const register = await party.request('REGISTER', 'sip:example.com', { to, anonymous: true });
    expect(register).toMatchObject({ status: 401 });
    expectSilence('a2', 'a5');
  });
});
