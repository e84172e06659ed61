import { openToken, sealToken } from '../auth/token.ts';
import type { TokenKeys } from '../auth/token.ts';
import type { Transport } from './locate.ts';

/** The way back to a device: over a connection that is open, or from a UDP listener to where it sent from. */
export type Flow = {
  readonly transport: Transport;
  /** Which of this element's listeners it came to. */
  readonly listener: number;
  /** Which connection of a stream transport; 0 for UDP. A number that is never used again. */
  readonly connection: number;
  readonly address: string;
  readonly port: number;
};

const purpose = 'flow';
const transports: readonly Transport[] = ['UDP', 'TCP', 'TLS'];
const addressAt = 11;

/** A flow token (RFC 5626 section 5.2): what an edge puts into the user part of its Path and Record-Route URIs. */
export function encodeFlowToken(keys: TokenKeys, flow: Flow): string {
  const payload = Buffer.alloc(addressAt + flow.address.length);
  payload.writeUInt8(transports.indexOf(flow.transport), 0);
  payload.writeUInt16BE(flow.listener, 1);
  payload.writeUIntBE(flow.connection, 3, 6);
  payload.writeUInt16BE(flow.port, 9);
  payload.write(flow.address, addressAt, 'latin1');
  return sealToken(keys, purpose, payload);
}

/** The flow a token of ours names; undefined for a token that is not. */
export function decodeFlowToken(keys: TokenKeys, token: string): Flow | undefined {
  const payload = openToken(keys, purpose, token);
  const transport = payload && transports[payload.readUInt8(0)];
  if (!transport) return undefined;
  return {
    transport,
    listener: payload.readUInt16BE(1),
    connection: payload.readUIntBE(3, 6),
    port: payload.readUInt16BE(9),
    address: payload.toString('latin1', addressAt),
  };
}
