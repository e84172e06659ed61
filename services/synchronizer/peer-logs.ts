import { DualhomeError } from '../protocol/errors/index.ts';
import type { LogName } from '../protocol/names.ts';
import type { OpenCopy } from './copy.ts';
import type { ApplyLane, OwnLog, Peer, PeerLink, SendLane, SynchronizerContext } from './ports.ts';

type Peers = ReadonlyMap<string, Peer>;

/** @throws LINK_PEER_UNKNOWN */
export function peerNamed(peers: Peers, name: string): Peer {
  const peer = peers.get(name);
  if (!peer) throw new DualhomeError('LINK_PEER_UNKNOWN', { detail: name });
  return peer;
}

export type Sending = { readonly link: PeerLink; readonly send: SendLane; readonly own: OwnLog };

/** What it takes to send a log to a peer. @throws LINK_LOG_NOT_SENT where it does not go there */
export function sendingOf(
  { peers, logs }: Pick<SynchronizerContext, 'peers' | 'logs'>,
  peer: string,
  log: LogName,
): Sending {
  const { link, logs: theirs } = peerNamed(peers, peer);
  const send = theirs.get(log)?.send;
  const own = logs.get(log);
  if (!send || !own) throw new DualhomeError('LINK_LOG_NOT_SENT');
  return { link, send, own };
}

export type Copying = { readonly link: PeerLink; readonly apply: ApplyLane; readonly copy: OpenCopy };

/** The copy of a peer's log here. @throws LINK_LOG_NOT_SENT where none is kept */
export function copyingOf(peers: Peers, peer: string, log: LogName): Copying {
  const { link, logs } = peerNamed(peers, peer);
  const { apply, copy } = logs.get(log) ?? {};
  if (!apply || !copy) throw new DualhomeError('LINK_LOG_NOT_SENT');
  return { link, apply, copy };
}
