/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Pieces parsers have stumbled over. */
const pieces = [
  '\r\n', '\r\n ', '\n', '\r', '\0', '"', '\\', '<', '>', ';', ',', ':', '@', '=', '%', '%00', '%zz', '[', ']', '?', '/', ' ', '\t',
  '\xff', '\xc3\xbc', ';lr', ';rport', ';received=', ';branch=z9hG4bK', ';tag=', 'z9hG4bK', 'sip:', 'sips:', 'tel:', 'SIP/2.0',
  '*', '0', '-1', '255', '4294967296', '99999999999999999999999', '"'.repeat(50), ','.repeat(50), ';'.repeat(50), '('.repeat(50),
  ' '.repeat(200), 'a'.repeat(300), '%41'.repeat(60), '\r\n\t'.repeat(20), '__proto__: x\r\n', 'constructor: y\r\n',
  'Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n', 'v: SIP/2.0/TCP [::1]:5060\r\n', 'Route: <sip:a;lr>,<sip:b>\r\n', 'Max-Forwards: 0\r\n',
  'Content-Length: 5\r\n', 'l: 0\r\n', 'Contact: *\r\n', 'm: "x" <sip:a@b>;expires=0\r\n', 'Require: a,b\r\n', 'Timestamp: 1\r\n',
  'Authorization: Digest username="a",realm="r",nonce="n",uri="u",response="x"\r\n', '\r\n\r\n',
].map((piece) => Buffer.from(piece, 'latin1')); // prettier-ignore

type Mutation = (bytes: Buffer, random: () => number, other: Buffer) => Buffer;

const below = (random: () => number, limit: number) => Math.floor(random() * limit);
const replaced = (bytes: Buffer, at: number, removed: number, inserted: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
const range = (bytes: Buffer, random: () => number, max: number) => {
  const start = below(random, bytes.length + 1);
  return bytes.subarray(start, start + below(random, max));
};

const mutations: readonly Mutation[] = [
  (bytes, random) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[below(random, changed.length)] = below(random, 256);
    return changed;
  },
  (bytes, random) =>
    replaced(bytes, below(random, bytes.length + 1), 0, pieces[below(random, pieces.length)] ?? bytes),
  (bytes, random) =>
    replaced(
      bytes,
      below(random, bytes.length + 1),
      below(random, 8),
      pieces[below(random, pieces.length)] ?? bytes,
    ),
  (bytes, random) => replaced(bytes, below(random, bytes.length + 1), below(random, 40), Buffer.alloc(0)),
  (bytes, random) => replaced(bytes, below(random, bytes.length + 1), 0, range(bytes, random, 120)),
  (bytes, random, other) =>
    replaced(bytes, below(random, bytes.length + 1), below(random, 80), range(other, random, 120)),
  (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1)),
  (bytes, random) => {
    const lines = bytes.toString('latin1').split('\r\n');
    const [line = ''] = lines.splice(below(random, lines.length), 1);
    lines.splice(below(random, lines.length + 1), 0, ...(random() < 0.5 ? [line] : [line, line]));
    return Buffer.from(lines.join('\r\n'), 'latin1');
  },
];

/** One to six random changes to one of the messages. */
export function mutate(messages: readonly Buffer[], random: () => number): Buffer {
  const pick = () => messages[below(random, messages.length)] ?? Buffer.alloc(0);
  let bytes = pick();
  for (let changes = 1 + below(random, 6); changes > 0; changes--) {
    bytes = mutations[below(random, mutations.length)]?.(bytes, random, pick()) ?? bytes;
  }
  return bytes;
}

const repeated = [
  ' ', '\t', '"', '\\', '<', '>', ',', ';', '%41', '(', ':', '@', '[', '=', '0', 'a ', ';a', ';a=b', ',<sip:a>', '<sip:a;lr>,',
  '"a" ', '\r\n ', ' \r\n ', 'a\r\n\t', ',SIP/2.0/UDP h', ', a=b',
]; // prettier-ignore
const fieldStarts = [
  'To: ', 'From: <sip:a@b>', 'Via: SIP/2.0/UDP h', 'Contact: <sip:a@b>', 'Route: ', 'Call-ID: x', 'CSeq: 1', 'Date: ',
  'Max-Forwards: ', 'Retry-After: 1', 'Require: ', 'Authorization: Digest ', 'Subject: ', 'X', 'Content-Length: ',
]; // prettier-ignore

/** Messages as long as the limits allow that repeat one thing: what takes time by the square of its length shows here. */
export function* pathological(bytesMax: number): Generator<Buffer> {
  const fields = ['Via: SIP/2.0/UDP h', 'From: <sip:a@b>', 'To: <sip:a@b>', 'Call-ID: x', 'CSeq: 1 OPTIONS'];
  for (const piece of repeated) {
    const run = piece.repeat((bytesMax - 200) / piece.length);
    yield Buffer.from(`OPTIONS sip:${run}@example.com SIP/2.0\r\n${fields.join('\r\n')}\r\n\r\n`, 'latin1');
    for (const start of fieldStarts) {
      const name = start.slice(0, start.indexOf(':') + 1);
      const others = fields.filter((field) => name === '' || !field.startsWith(name));
      for (const end of ['x', 'x\r\n y']) {
        const lines = ['OPTIONS sip:b@example.com SIP/2.0', ...others, `${start}${run}${end}`];
        yield Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
      }
    }
  }
}
