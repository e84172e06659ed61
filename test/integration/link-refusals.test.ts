import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createAuthority, issueCertificate } from '../../services/platform/tls/certificates.ts';
import type { Identity } from '../../services/platform/tls/certificates.ts';
import { encodeControl } from '../../services/protocol/link/codec.ts';
import { FrameDecoder } from '../../services/protocol/link/decoder.ts';
import { decodeFrame } from '../../services/protocol/link/codec.ts';
import type { Frame } from '../../services/protocol/link/codec.ts';
import type { Hello } from '../../services/protocol/link/frame.ts';
import { siteUri } from '../../services/protocol/site-uri.ts';
import { SyncPair } from '../support/sync-pair.ts';
import type { SyncSite } from '../support/sync-pair.ts';

/** Somebody who dials a site with whatever certificate and says whatever he likes. */
class Stranger implements AsyncDisposable {
  readonly #socket: TLSSocket;
  readonly #decoder = new FrameDecoder();
  readonly #frames: Frame[] = [];
  readonly #closed: Promise<unknown>;

  constructor(site: SyncSite, identity?: Identity) {
    const credentials = identity && { key: identity.privateKeyPem.reveal(), cert: identity.certificatePem };
    this.#socket = connect({
      ...site.config.link,
      ...credentials,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
    });
    this.#socket.on('error', () => undefined);
    this.#closed = once(this.#socket, 'close');
    this.#socket.on('data', (chunk: Buffer) => {
      for (const raw of this.#decoder.push(chunk)) this.#frames.push(decodeFrame(raw));
    });
  }

  say(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  hello(hello: Partial<Hello> = {}): void {
    const report = { sends: [], holds: [] };
    this.say(
      encodeControl('hello', {
        protocol: { min: 1, max: 1 },
        site: 'c1',
        peer: 'c2',
        software: 'test',
        report,
        ...hello,
      }),
    );
  }

  /** The next frame of that name. */
  async frame(name: Frame['name']): Promise<void> {
    while (!this.frames.includes(name)) await once(this.#socket, 'data');
  }

  /** The code with which the site closed the connection; undefined where it said nothing. */
  async refusedWith(): Promise<string | undefined> {
    await this.#closed;
    const bye = this.#frames.find((frame) => frame.name === 'bye');
    return bye?.body.code;
  }

  get frames(): readonly Frame['name'][] {
    return this.#frames.map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }
}

/** c2 alone, whose peer c1 is played by the test. */
async function lonelyC2() {
  const pair = await SyncPair.create();
  await pair.c2.start();
  return pair;
}

const identityOf = (authority: Identity, site: string): Promise<Identity> =>
  issueCertificate(authority, { name: site, uris: [siteUri(site)], days: 5 });

describe('whoever is not the peer', () => {
  it('is refused with a code that says why, and nothing is heard from him', async () => {
    await using pair = await lonelyC2();
    const { c1, c2 } = pair;
    const other = await createAuthority({ name: 'other', days: 5 });
    const refusals: readonly (readonly [string, Identity | undefined])[] = [
      ['TLS_CERTIFICATE_UNTRUSTED', undefined],
      ['TLS_CERTIFICATE_UNTRUSTED', await identityOf(other, 'c1')],
      ['TLS_CERTIFICATE_UNTRUSTED', await identityOf(c2.authority, 'c1')],
      ['LINK_PEER_UNKNOWN', await identityOf(c1.authority, 'c3')],
      ['LINK_PEER_UNKNOWN', await identityOf(c1.authority, 'c2')],
      [
        'TLS_CERTIFICATE_EXPIRED',
        await issueCertificate(c1.authority, { name: 'c1', uris: [siteUri('c1')], days: -1 / 48 }),
      ],
    ];
    for (const [code, identity] of refusals) {
      await using stranger = new Stranger(c2, identity);
      stranger.hello();
      expect(await stranger.refusedWith()).toBe(code);
      expect(stranger.frames).toEqual(['bye']);
    }
    const { peers } = await c2.status();
    expect(peers[0]?.link).toMatchObject({ state: 'down', trouble: { code: 'TLS_CERTIFICATE_EXPIRED' } });
  });

  it('fills no log by knocking again and again', async () => {
    await using pair = await lonelyC2();
    for (let i = 0; i < 5; i += 1) {
      await using stranger = new Stranger(pair.c2);
      await stranger.refusedWith();
    }
    expect(pair.c2.program.messages.filter((message) => message === 'a connection was refused')).toHaveLength(
      1,
    );
  });

  it('is told apart by the dialling side too, which shows why in its status', async () => {
    await using pair = await SyncPair.create();
    const { c1, c2 } = pair;
    await c2.issue('c3');
    await Promise.all([c1.start(), c2.start()]);
    await c1.statusWhen('mismatch', ({ peers }) => peers[0]?.link.trouble?.code === 'LINK_PEER_MISMATCH');
    await c2.issue('c2', c1.authority);
    await c1.statusWhen(
      'untrusted',
      ({ peers }) => peers[0]?.link.trouble?.code === 'TLS_CERTIFICATE_UNTRUSTED',
    );
    await c1.issue('c3');
    await c2.issue('c2');
    const said = await c1.statusWhen(
      'unknown',
      ({ peers }) => peers[0]?.link.trouble?.code === 'LINK_PEER_UNKNOWN',
    );
    expect(said.peers[0]?.link.trouble?.detail).toContain('said by the peer');
    // Certificates are taken up while the programs run.
    await c1.issue('c1');
    await Promise.all([c1.linkIs('up'), c2.linkIs('up')]);
  });
});

describe('a peer that sends rubbish', () => {
  it('is cut off, and can come back', async () => {
    await using pair = await lonelyC2();
    const { c1, c2 } = pair;
    const identity = await identityOf(c1.authority, 'c1');
    const events = Buffer.concat([Buffer.from([0, 0, 0, 50, 6]), Buffer.alloc(49, 255)]);
    const rubbish: readonly (readonly [string, (stranger: Stranger) => void])[] = [
      ['LINK_FRAME_INVALID', (stranger) => stranger.say(Buffer.alloc(100_000, 255))],
      ['LINK_FRAME_INVALID', (stranger) => stranger.say(Buffer.from('GET / HTTP/1.1\r\n\r\n'))],
      [
        'LINK_FRAME_INVALID',
        (stranger) =>
          stranger.say(encodeControl('ack', { log: 'configuration', received: 1, applied: 1, credit: 1 })),
      ],
      ['LINK_PEER_MISMATCH', (stranger) => stranger.hello({ site: 'c3' })],
      ['LINK_PEER_MISMATCH', (stranger) => stranger.hello({ peer: 'c3' })],
      ['LINK_FRAME_INVALID', (stranger) => (stranger.hello(), stranger.say(events))],
      ['LINK_FRAME_INVALID', (stranger) => (stranger.hello(), stranger.say(Buffer.from([0, 0, 0, 1, 99])))],
      ['LINK_FRAME_INVALID', (stranger) => (stranger.hello(), stranger.hello())],
      ['LINK_SILENT', () => undefined],
    ];
    for (const [code, behave] of rubbish) {
      await using stranger = new Stranger(c2, identity);
      behave(stranger);
      expect(await stranger.refusedWith()).toBe(code);
    }
    await using polite = new Stranger(c2, identity);
    polite.hello();
    await polite.frame('resume');
    await c2.linkIs('up');
  });
});

describe('two sites with different versions of the protocol', () => {
  it.each([
    ['newer', { min: 2, max: 3 }],
    ['older', { min: 0, max: 0 }],
  ])('keep link and heartbeats while the logs wait: the peer is %s', async (_which, protocol) => {
    await using pair = await lonelyC2();
    const { c1, c2 } = pair;
    await using peer = new Stranger(c2, await identityOf(c1.authority, 'c1'));
    peer.hello({ protocol, software: '9.9.9' });
    // Frames of another version are passed over.
    peer.say(Buffer.from([0, 0, 0, 3, 77, 1, 2]));
    await peer.frame('heartbeat');
    const moment = { wallMs: 1, monotonicMs: 1 };
    peer.say(encodeControl('heartbeat', { sent: moment, echo: null, report: { sends: [], holds: [] } }));
    const direction = await c2.parked('LINK_PROTOCOL_UNSUPPORTED');
    expect(direction.trouble?.action).toContain('Upgrade');
    const { peers } = await c2.linkIs('up');
    expect(peers[0]?.link).toMatchObject({
      protocol: null,
      software: '9.9.9',
      trouble: { code: 'LINK_PROTOCOL_UNSUPPORTED' },
    });
    await c2.alarmsAre('LINK_PROTOCOL_UNSUPPORTED c1');
    expect(peer.frames).not.toContain('resume');
    await using upgraded = new Stranger(c2, await identityOf(c1.authority, 'c1'));
    upgraded.hello({ protocol: { min: 1, max: 2 } });
    await upgraded.frame('resume');
    await c2.alarmsAre();
  });
});

describe('a renewed certificate', () => {
  it('is presented to the next connection without a restart, and leaves the one that is open alone', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    const presented = async (): Promise<string | undefined> => {
      const socket = connect({ ...c2.config.link, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const serial = socket.getPeerX509Certificate()?.serialNumber;
      socket.on('error', () => undefined).destroy();
      return serial;
    };
    const before = await presented();
    await Promise.all([c1.issue(), c2.issue()]);
    await expect.poll(presented).not.toBe(before);
    const { seq } = await c1.append(10);
    await c2.applied(seq);
    pair.network.cut('rst');
    const next = await c1.append(10, { first: 50 });
    await c2.applied(next.seq);
    expect(c2.program.messages.filter((message) => message === 'link up').length).toBe(2);
  });
});
