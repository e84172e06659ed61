import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SipAddress } from '../../support/clients/sip-address.ts';

const pollMs = 10;

/** Asks with OPTIONS, 100 times a second, until it is answered with 200. */
export async function untilServing(site: SipAddress): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  let isServing = false;
  socket.on('message', (answer) => (isServing ||= answer.toString('latin1').startsWith('SIP/2.0 200 ')));
  for (let n = 1; !isServing; n += 1) {
    socket.send(optionsOf(n, port), site.port, site.host);
    await sleep(pollMs);
  }
  socket.close();
}

const optionsOf = (n: number, port: number): string =>
  [
    'OPTIONS sip:127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKping${port}${n};rport`,
    'Max-Forwards: 70',
    'From: <sip:ping@127.0.0.1>;tag=ping',
    'To: <sip:127.0.0.1>',
    `Call-ID: ping-${port}-${n}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
