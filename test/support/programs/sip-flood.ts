import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { messageBytes } from '../sip-messages.ts';

/**
 * Sends REGISTERs without credentials to a port on loopback, each of another subscriber of a domain, at a rate until it is
 * killed.
 * Prints how many were sent, each second.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '' },
    source: { type: 'string', default: '' },
    domain: { type: 'string', default: 'c1.example' },
    'per-second': { type: 'string', default: '' },
  },
});
const port = Number(values.port);
const perSecond = Number(values['per-second']);
const { domain, source } = values;

const socket = createSocket('udp4');
socket.bind(0, source);
await once(socket, 'listening');
// Answers are not read: their buffer overflows, as it would at somebody who does not care.
socket.removeAllListeners('message');

let sent = 0;
const startedMs = performance.now();

function send(): void {
  const due = ((performance.now() - startedMs) / 1_000) * perSecond;
  for (; sent < due; sent += 1) socket.send(registerBytes(sent), port, '127.0.0.1');
  setTimeout(send, 1);
}

function registerBytes(n: number): Buffer {
  return messageBytes([
    `REGISTER sip:${domain} SIP/2.0`,
    `Via: SIP/2.0/UDP ${source}:${socket.address().port};branch=z9hG4bKflood${n};rport`,
    `From: <sip:flood${n}@${domain}>;tag=${n}`,
    `To: <sip:flood${n}@${domain}>`,
    `Call-ID: flood-${n}`,
    'CSeq: 1 REGISTER',
    `Contact: <sip:flood@${source}>`,
    'Content-Length: 0',
  ]);
}

setInterval(() => process.stderr.write(`sent ${sent}\n`), 1_000);
send();
