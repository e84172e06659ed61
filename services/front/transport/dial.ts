import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Target } from '../../sip/transport/locate.ts';
import type { CertificateStore } from '../../platform/tls/certificate-store.ts';
import { identityOf, isExpected } from './identity.ts';
import type { Expected, Identity, TrustedPeer } from './identity.ts';
import { deviceTls } from './stream-listener.ts';

const connectMs = 5_000;

export type DialOptions = {
  readonly expected: Expected;
  readonly certificates: CertificateStore;
  readonly peers: readonly TrustedPeer[];
  /** It is open, to whom it should be; else the socket is destroyed. */
  readonly onOpen: (identity: Identity | undefined) => void;
};

/** A connection being opened. Over TLS the other end is judged by what it was expected to prove, not by a host's name. */
export function dial({ transport, address, port }: Target, options: DialOptions): Socket {
  return transport === 'TLS' ? dialTls(address, port, options) : dialTcp(address, port, options);
}

function dialTcp(host: string, port: number, { onOpen }: DialOptions): Socket {
  const socket = connect({ host, port, timeout: connectMs });
  return giveUpLate(socket).once('connect', () => opened(socket, () => onOpen(undefined)));
}

function dialTls(host: string, port: number, { expected, certificates, peers, onOpen }: DialOptions): Socket {
  const socket = connectTls({
    host,
    port,
    ...certificates.current.options,
    ...deviceTls,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    timeout: connectMs,
  });
  giveUpLate(socket).once('secureConnect', () => {
    const identity = identityOf(socket, peers, Date.now());
    if (isExpected(identity, expected)) opened(socket, () => onOpen(identity));
    else socket.destroy();
  });
  return socket;
}

function giveUpLate(socket: Socket): Socket {
  return socket.on('timeout', () => socket.destroy());
}

function opened(socket: Socket, onOpen: () => void): void {
  socket.setTimeout(0);
  onOpen();
}
