import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';

/** A record of the zone, as zone files order its values. */
export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string; readonly ttl?: number }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly type: 'NAPTR';
      readonly order: number;
      readonly preference: number;
      readonly service: string;
      readonly replacement: string;
    };

/** What questions for a name get instead of an answer. */
export type Misbehaviour = 'silence' | 'rubbish' | 'cut off';

const typeCodes = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 } as const;
const typeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(typeCodes).map(([name, code]) => [code, name]),
);
const headerBytes = 12;
const ttlSeconds = 300;
const nameError = 3;

/** An authoritative DNS server on UDP (RFC 1035), of a few records that a test may change while it runs. */
export class DnsServer implements AsyncDisposable {
  readonly zone = new Map<string, readonly ZoneRecord[]>();
  readonly misbehaviours = new Map<string, Misbehaviour>();
  /** `TYPE name` of every question that came. */
  readonly questions: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, from) => this.#take(query, from));
  }

  static async open(zone: Readonly<Record<string, readonly ZoneRecord[]>> = {}): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const server = new DnsServer(socket);
    for (const [name, records] of Object.entries(zone)) server.zone.set(name, records);
    return server;
  }

  /** `host:port` for a resolver. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #take(query: Buffer, { port, address }: RemoteInfo): void {
    const { name, end } = readName(query, headerBytes);
    const type = typeNames.get(query.readUInt16BE(end)) ?? '?';
    this.questions.push(`${type} ${name}`);
    const records = this.zone.get(name) ?? [];
    const answers = records.filter((record) => record.type === type).map(formatRecord);
    const known = this.zone.has(name) ? 0 : nameError;
    const question = query.subarray(headerBytes, end + 4);
    const answer = Buffer.concat([header(query, answers.length, known), question, ...answers]);
    const bytes = misbehave(this.misbehaviours.get(name), answer);
    if (bytes) this.#socket.send(bytes, port, address);
  }
}

function misbehave(how: Misbehaviour | undefined, answer: Buffer): Buffer | undefined {
  if (how === 'silence') return undefined;
  if (how === 'cut off') return answer.subarray(0, -3);
  return how === 'rubbish'
    ? Buffer.concat([answer.subarray(0, headerBytes), Buffer.alloc(40, 0xff)])
    : answer;
}

/** An authoritative answer to the query (section 4.1.1), with one question. */
function header(query: Buffer, answers: number, responseCode: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  query.copy(bytes, 0, 0, 2);
  bytes.writeUInt16BE(0x8400 | responseCode, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(answers, 6);
  return bytes;
}

/** Its name is the question's, to which it points (section 4.1.4). */
function formatRecord(record: ZoneRecord): Buffer {
  const data = formatData(record);
  const ttl = 'ttl' in record ? record.ttl : undefined;
  return Buffer.concat([
    uint16(0xc000 | headerBytes),
    uint16(typeCodes[record.type]),
    uint16(1),
    uint16(0),
    uint16(ttl ?? ttlSeconds),
    uint16(data.length),
    data,
  ]);
}

function formatData(record: ZoneRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      return Buffer.concat(expandedGroups(record.address).map(uint16));
    case 'SRV':
      return Buffer.concat([
        ...[record.priority, record.weight, record.port].map(uint16),
        formatName(record.target),
      ]);
    case 'NAPTR':
      return Buffer.concat([
        ...[record.order, record.preference].map(uint16),
        ...['s', record.service, ''].map(label),
        formatName(record.replacement),
      ]);
  }
}

function expandedGroups(address: string): number[] {
  const [before = '', after = ''] = address.split('::');
  const groups = (text: string): number[] =>
    (text.match(/[^:]+/g) ?? []).map((group) => Number.parseInt(group, 16));
  const [left, right] = [groups(before), groups(after)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right];
}

const formatName = (name: string): Buffer => Buffer.concat([...name.split('.'), ''].map(label));

function label(text: string): Buffer {
  return Buffer.from([text.length, ...Buffer.from(text)]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** A name that is not compressed, as questions have it, and where it ends. */
function readName(bytes: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}
