import type { Endpoint } from './received.ts';

/** RFC 5389 sections 6 and 15. */
const headerBytes = 20;
const magicCookie = 0x2112_a442;
const bindingRequest = 0x0001;
const bindingSuccess = 0x0101;
const bindingError = 0x0111;
const xorMappedAddress = 0x0020;
const errorCode = 0x0009;
const unknownAttributes = 0x000a;
/** Attributes below this must be understood (section 15). */
const optionalFrom = 0x8000;

/** Attributes that change nothing about a Binding answer and may be present (USERNAME, MESSAGE-INTEGRITY). */
const ignorable = new Set([0x0006, 0x0008]);

/**
 * Whether a datagram on the SIP port is STUN (RFC 5389 section 8): no SIP message begins with the two zero bits, the
 * cookie stands where it belongs, and the length is whole.
 */
export function isStun(datagram: Buffer): boolean {
  return (
    datagram.length >= headerBytes &&
    datagram.readUInt8(0) < 4 &&
    datagram.readUInt32BE(4) === magicCookie &&
    datagram.readUInt16BE(2) === datagram.length - headerBytes
  );
}

/**
 * The answer to a STUN Binding request that came to the SIP port (RFC 5389 section 10.1.1, RFC 5626 section 4.4.2): the
 * source address, or a 420 for an attribute that must be understood and is not. Undefined where there is none to give.
 */
export function answerStun(datagram: Buffer, source: Endpoint): Buffer | undefined {
  if (!isStun(datagram) || datagram.readUInt16BE(0) !== bindingRequest) return undefined;
  const unknown = unknownTypes(datagram);
  if (!unknown) return undefined;
  return unknown.length === 0
    ? message(bindingSuccess, datagram, [attribute(xorMappedAddress, xorAddress(datagram, source))])
    : message(bindingError, datagram, [
        attribute(errorCode, Buffer.from([0, 0, 4, 20])),
        attribute(unknownAttributes, Buffer.from(unknown.flatMap((type) => [type >> 8, type & 0xff]))),
      ]);
}

/** Types of the attributes that must be understood and are not; undefined where the attributes are malformed. */
function unknownTypes(datagram: Buffer): number[] | undefined {
  const unknown: number[] = [];
  let at = headerBytes;
  while (at + 4 <= datagram.length) {
    const type = datagram.readUInt16BE(at);
    if (type < optionalFrom && !ignorable.has(type)) unknown.push(type);
    at += 4 + padded(datagram.readUInt16BE(at + 2));
  }
  return at === datagram.length ? unknown : undefined;
}

function message(type: number, request: Buffer, attributes: readonly Buffer[]): Buffer {
  const header = Buffer.from(request.subarray(0, headerBytes));
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(
    attributes.reduce((bytes, { length }) => bytes + length, 0),
    2,
  );
  return Buffer.concat([header, ...attributes]);
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.length));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

/** Section 15.2: family, port and address, XORed with cookie and transaction id. */
function xorAddress(request: Buffer, { address, port }: Endpoint): Buffer {
  const isV6 = address.includes(':');
  const raw = isV6 ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const key = request.subarray(4, headerBytes);
  const value = Buffer.alloc(4 + raw.length);
  value.writeUInt8(isV6 ? 2 : 1, 1);
  value.writeUInt16BE(port ^ (magicCookie >>> 16), 2);
  raw.forEach((byte, i) => value.writeUInt8(byte ^ key.readUInt8(i), 4 + i));
  return value;
}

/** The 16 bytes of an IPv6 address, which may end in an IPv4 address and bear a zone. */
function ipv6Bytes(address: string): Buffer {
  const [text = ''] = address.split('%');
  const hex = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const word = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
    return `${word(a, b)}:${word(c, d)}`;
  });
  const [head = '', tail] = hex.split('::');
  const words = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  const bytes = Buffer.alloc(16);
  [...before, ...zeros, ...after].forEach((word, i) => bytes.writeUInt16BE(word, 2 * i));
  return bytes;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
