import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { issueCertificate, createAuthority } from '../../../services/platform/tls/certificates.ts';
import { writeIdentity } from '../../../services/platform/tls/identity-files.ts';
import { fingerprintOf, parseCertificate } from '../../../services/platform/tls/inspect.ts';
import { buildResponse } from '../../../services/sip/message/response.ts';
import type { Response } from '../../../services/sip/message/message.ts';
import type { ResponseUser } from '../../../services/front/engine/engine.ts';
import { EngineBed, certificateFiles } from '../../support/engine-bed.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { StreamClient, UdpClient } from '../../support/sip-clients.ts';
import { aRequest, asRequest, messageBytes } from '../../support/sip-messages.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

const local = { host: '127.0.0.1', address: '127.0.0.1' };
let branches = 0;

function requestBytes(via: string, { method = 'OPTIONS', callId = 'c1' } = {}): Buffer {
  branches += 1;
  return aRequest(method, {
    fields: {
      Via: `SIP/2.0/${via};branch=z9hG4bKt${branches}`,
      'Call-ID': callId,
    },
  }).toBuffer();
}

/** How a request that was sent came to its end. */
function outcomeOf(): ResponseUser & { readonly outcome: Promise<Response | 'timeout' | 'unsendable'> } {
  const { promise, resolve } = Promise.withResolvers<Response | 'timeout' | 'unsendable'>();
  return {
    outcome: promise,
    onResponse: (response) => resolve(response),
    onTimeout: () => resolve('timeout'),
    onUnsendable: () => resolve('unsendable'),
  };
}

describe('the engine over UDP', () => {
  it('hands a request on once, and answers each retransmission with the same response', async () => {
    await using bed = await EngineBed.open();
    await using client = await UdpClient.open(bed.transports.port(0));
    const request = requestBytes(`UDP ${local.host}:${client.port}`);
    client.send(request);
    const { request: received, transaction, flow } = await bed.requests.next();
    expect(flow).toEqual({
      transport: 'UDP',
      listener: 0,
      connection: 0,
      address: local.address,
      port: client.port,
    });
    bed.engine.answer(received, transaction, 200);
    const first = await client.datagrams.next();
    client.send(request);
    expect(await client.datagrams.next()).toEqual(first);
    expect(bed.requests.size).toBe(0);
  });

  it('notes where a request came from, and answers there when asked to', async () => {
    await using bed = await EngineBed.open();
    await using client = await UdpClient.open(bed.transports.port(0));
    client.send(requestBytes('UDP 192.0.2.7:5099;rport'));
    const { request, transaction } = await bed.requests.next();
    bed.engine.answer(request, transaction, 486);
    const { via } = await client.response();
    expect(via?.params.get('received')).toBe(local.address);
    expect(via?.params.get('rport')).toBe(String(client.port));
  });

  it('answers to the port of the Via of a client that does not ask for rport', async () => {
    await using bed = await EngineBed.open();
    await using sender = await UdpClient.open(bed.transports.port(0));
    await using named = await UdpClient.open(bed.transports.port(0));
    sender.send(requestBytes(`UDP 192.0.2.7:${named.port}`));
    const { request, transaction, flow } = await bed.requests.next();
    expect(flow.port).toBe(sender.port);
    bed.engine.answer(request, transaction, 200);
    expect((await named.response()).via?.params.get('received')).toBe(local.address);
  });

  it('answers STUN on the same port, and survives what cannot be answered', async () => {
    await using bed = await EngineBed.open();
    await using client = await UdpClient.open(bed.transports.port(0));
    client.send(requestBytes('UDP 127.0.0.1:0'));
    const { request, transaction } = await bed.requests.next();
    bed.engine.answer(request, transaction, 200);
    for (const bytes of ['', '\r\n\r\n', 'rubbish', '\0\0\0\0']) client.send(bytes);
    const binding = Buffer.alloc(20);
    binding.writeUInt16BE(1, 0);
    binding.writeUInt32BE(0x2112_a442, 4);
    client.send(binding);
    expect((await client.datagrams.next()).readUInt16BE(0)).toBe(0x0101);
  });

  it('refuses a malformed request without troubling its user', async () => {
    await using bed = await EngineBed.open();
    await using client = await UdpClient.open(bed.transports.port(0));
    client.send(
      messageBytes([
        'OPTIONS sip:bob@example.com SIP/2.0',
        `Via: SIP/2.0/UDP ${local.host}:${client.port};branch=z9hG4bKbad`,
        'From: <sip:alice@example.com>;tag=1',
        'To: <sip:bob@example.com>',
        'Call-ID: 1',
        'CSeq: 1 INVITE',
      ]),
    );
    expect((await client.response()).status).toBe(400);
    expect(bed.requests.size).toBe(0);
  });

  it('sends requests, and tells the response, the silence or the failure', async () => {
    const clock = new FakeClock();
    await using bed = await EngineBed.open({ clock });
    await using client = await UdpClient.open(bed.transports.port(0));
    const flow = bed.transports.flowTo({ transport: 'UDP', address: local.address, port: client.port });
    if (!flow) throw new Error('no flow');
    const answered = outcomeOf();
    bed.engine.send(asRequest(requestBytes('UDP 127.0.0.1:5060')), flow, answered);
    client.send(buildResponse(asRequest(await client.datagrams.next()), 200, { toTag: 'x' }));
    expect(await answered.outcome).toMatchObject({ status: 200 });

    const silent = outcomeOf();
    bed.engine.send(asRequest(requestBytes('UDP 127.0.0.1:5060')), flow, silent);
    await clock.advance(32_100);
    expect(await silent.outcome).toBe('timeout');

    const unsendable = outcomeOf();
    bed.engine.send(asRequest(requestBytes('UDP 127.0.0.1:5060')), { ...flow, port: 0 }, unsendable);
    expect(await unsendable.outcome).toBe('unsendable');
  });
});

describe('the engine over TCP', () => {
  it('puts a message together from pieces, answers pings, and tells of the end', async () => {
    await using bed = await EngineBed.open();
    await using client = await StreamClient.openTcp(bed.transports.port(1));
    const bytes = requestBytes('TCP 127.0.0.1:5060');
    client.send(Buffer.concat([Buffer.from('\r\n\r\n'), bytes.subarray(0, 50)]));
    expect((await client.frames.next()).kind).toBe('pong');
    client.send(bytes.subarray(50));
    const { request, transaction, flow } = await bed.requests.next();
    bed.engine.answer(request, transaction, 200);
    expect((await client.response()).status).toBe(200);
    expect(bed.transports.isOpen(flow)).toBe(true);
    client.socket.destroy();
    expect(await bed.closed.next()).toEqual(flow);
    expect(bed.transports.isOpen(flow)).toBe(false);
  });

  it('answers what is too large, then closes', async () => {
    await using bed = await EngineBed.open();
    await using client = await StreamClient.openTcp(bed.transports.port(1));
    client.send(
      requestBytes('TCP 127.0.0.1:5060').toString().replace('Content-Length: 0', 'Content-Length: 99999999'),
    );
    expect((await client.response()).status).toBe(513);
    await client.closed;
  });

  it('closes connections that are slow or say nothing, except those of the genuine', async () => {
    const clock = new FakeClock();
    await using bed = await EngineBed.open({ clock });
    await using genuine = await StreamClient.openTcp(bed.transports.port(1));
    genuine.send(requestBytes('TCP 127.0.0.1:5060'));
    bed.transports.prove((await bed.requests.next()).flow);
    await using slow = await StreamClient.openTcp(bed.transports.port(1));
    await using silent = await StreamClient.openTcp(bed.transports.port(1));
    slow.send('\r\n\r\nOPTIONS sip:');
    await slow.frames.next();
    silent.send('\r\n\r\n');
    await silent.frames.next();
    await clock.advance(10_001);
    await slow.closed;
    expect(silent.socket.closed).toBe(false);
    await clock.advance(60_001);
    await silent.closed;
    for (const _ of ['slow', 'silent']) await bed.closed.next();
    expect(bed.transports.connections).toBe(1);
  });

  it('closes a connection whose other end does not read', async () => {
    await using bed = await EngineBed.open();
    await using client = await StreamClient.openTcp(bed.transports.port(1));
    client.send(requestBytes('TCP 127.0.0.1:5060'));
    const { flow } = await bed.requests.next();
    client.socket.pause();
    const bytes = Buffer.alloc(65_536);
    while (bed.transports.send(bytes, flow)) await new Promise(setImmediate);
    expect(await bed.closed.next()).toEqual(flow);
  });

  it('fails requests under way with the connection, and opens another for the next', async () => {
    await using there = await EngineBed.open();
    await using here = await EngineBed.open();
    const target = { transport: 'TCP', address: local.address, port: there.transports.port(1) } as const;
    const flow = here.transports.flowTo(target);
    if (!flow) throw new Error('no flow');
    const cut = outcomeOf();
    here.engine.send(asRequest(requestBytes('TCP 127.0.0.1:5060')), flow, cut);
    expect(here.transports.flowTo(target)).toBe(flow);
    there.transports.close((await there.requests.next()).flow);
    expect(await cut.outcome).toBe('unsendable');
    const next = here.transports.flowTo(target);
    expect(next?.connection).toBeGreaterThan(flow.connection);
    const answered = outcomeOf();
    if (next) here.engine.send(asRequest(requestBytes('TCP 127.0.0.1:5060')), next, answered);
    const { request, transaction } = await there.requests.next();
    there.engine.answer(request, transaction, 200);
    expect(await answered.outcome).toMatchObject({ status: 200 });
  });

  it('fails what rings with the connection, and waits for nothing any longer', async () => {
    await using there = await EngineBed.open();
    await using here = await EngineBed.open();
    const target = { transport: 'TCP', address: local.address, port: there.transports.port(1) } as const;
    const flow = here.transports.flowTo(target);
    if (!flow) throw new Error('no flow');
    const ringing = Promise.withResolvers<number>();
    const cut = Promise.withResolvers<'unsendable'>();
    here.engine.send(asRequest(requestBytes('TCP 127.0.0.1:5060', { method: 'INVITE' })), flow, {
      onResponse: ({ status }) => ringing.resolve(status),
      onTimeout: () => cut.reject(new Error('timeout')),
      onUnsendable: () => cut.resolve('unsendable'),
    });
    const received = await there.requests.next();
    there.engine.answer(received.request, received.transaction, 180);
    expect(await ringing.promise).toBe(180);
    there.transports.close(received.flow);
    expect(await cut.promise).toBe('unsendable');
    expect(here.engine.transactions).toBe(0);
  });

  it('tells at once of a connection that is refused', async () => {
    await using bed = await EngineBed.open();
    const flow = bed.transports.flowTo({ transport: 'TCP', address: local.address, port: 1 });
    const refused = outcomeOf();
    if (flow) bed.engine.send(asRequest(requestBytes('TCP 127.0.0.1:5060')), flow, refused);
    expect(await refused.outcome).toBe('unsendable');
  });
});

describe('the engine over TLS', () => {
  const dialTls = async (port: number): Promise<TLSSocket> => {
    const socket = connectTls({ port, host: local.host, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket;
  };

  it('serves phones without a certificate, and shows a renewed one to the next', async () => {
    await using directory = await TemporaryDirectory.create();
    const certificate = await certificateFiles(directory, 'c1');
    await using bed = await EngineBed.open({ certificate });
    const before = await dialTls(bed.transports.port(2));
    await using phone = new StreamClient(before);
    await writeIdentity(
      certificate,
      await issueCertificate(await createAuthority({ name: 'n', days: 9 }), { name: 'n', days: 3 }),
    );
    const first = before.getPeerCertificate().fingerprint256;
    for (;;) {
      await using next = new StreamClient(await dialTls(bed.transports.port(2)));
      if ((next.socket as TLSSocket).getPeerCertificate().fingerprint256 !== first) break;
    }
    phone.send(requestBytes('TLS 127.0.0.1:5061'));
    const { request, transaction, flow } = await bed.requests.next();
    expect(bed.transports.identity(flow)).toBeUndefined();
    bed.engine.answer(request, transaction, 200);
    expect((await phone.response()).status).toBe(200);
  });

  it('knows a peer by its certificate from both ends, and nobody else as one', async () => {
    await using directory = await TemporaryDirectory.create();
    const [c1, c2] = [await certificateFiles(directory, 'c1'), await certificateFiles(directory, 'c2')];
    await using here = await EngineBed.open({ certificate: c1, peers: { c2: c2.authorityFile } });
    await using there = await EngineBed.open({ certificate: c2, peers: { c1: c1.authorityFile } });
    const target = { transport: 'TLS', address: local.address, port: there.transports.port(2) } as const;
    const toPeer = here.transports.flowTo(target, { peer: 'c2' });
    const answered = outcomeOf();
    if (toPeer) here.engine.send(asRequest(requestBytes('TLS 127.0.0.1:5061')), toPeer, answered);
    const { request, transaction, flow } = await there.requests.next();
    const fingerprint = fingerprintOf(parseCertificate(await readFile(directory.file('c1.pem'))));
    expect(there.transports.identity(flow)).toEqual({
      peer: 'c1',
      fingerprint: fingerprint.replaceAll(':', '').toLowerCase(),
    });
    there.engine.answer(request, transaction, 200);
    expect(await answered.outcome).toMatchObject({ status: 200 });

    await using stranger = await EngineBed.open({ certificate: await certificateFiles(directory, 'c3') });
    const wrong = { ...target, port: stranger.transports.port(2) };
    const toStranger = here.transports.flowTo(wrong, { peer: 'c2' });
    const refused = outcomeOf();
    if (toStranger) here.engine.send(asRequest(requestBytes('TLS 127.0.0.1:5061')), toStranger, refused);
    expect(await refused.outcome).toBe('unsendable');
  });
});
