import { describe, expect, test } from 'vitest';
import { parseSipUri } from '../../../services/sip/message/uri.ts';
import { parseVia } from '../../../services/sip/message/via.ts';
import { sealToken } from '../../../services/sip/auth/token.ts';
import type { TokenKeys } from '../../../services/sip/auth/token.ts';
import { decodeFlowToken, encodeFlowToken } from '../../../services/sip/transport/flow-token.ts';
import type { Flow } from '../../../services/sip/transport/flow-token.ts';
import { locateServers } from '../../../services/sip/transport/locate.ts';
import type { DnsRecord, Transport } from '../../../services/sip/transport/locate.ts';
import { responseEndpoint, stampRequest, stampVia } from '../../../services/sip/transport/received.ts';
import { orderByWeight } from '../../../services/sip/transport/srv-order.ts';
import { asRequest, messageBytes } from '../../support/sip-messages.ts';
import { answerStun, isStun } from '../../../services/sip/transport/stun.ts';

function via(text: string) {
  const parsed = parseVia(`SIP/2.0/UDP ${text}`);
  if (!parsed) throw new Error(`malformed ${text}`);
  return parsed;
}

describe('the top Via of a received request', () => {
  const source = { address: '192.0.2.9', port: 40_000 };

  test.each([
    ['Via: SIP/2.0/UDP 192.0.2.1;rport;branch=x, SIP/2.0/TCP a;branch=y'],
    ['v:SIP/2.0/UDP 192.0.2.1;rport\r\n ;branch=x\r\n , SIP/2.0/TCP a;branch=y'],
  ])('is noted in the request itself, and every other field stays: %j', (line) => {
    const lines = ['OPTIONS sip:a SIP/2.0', 'To: <sip:b@c>', line, 'Via: SIP/2.0/UDP d', 'Call-ID: 7'];
    const stamped = stampRequest(asRequest(messageBytes([...lines, 'Content-Length: 3'], 'abc')), source);
    const text = stamped.toBuffer().toString();
    expect(stamped.values('via')).toEqual([
      'SIP/2.0/UDP 192.0.2.1;rport=40000;branch=x;received=192.0.2.9',
      'SIP/2.0/TCP a;branch=y',
      'SIP/2.0/UDP d',
    ]);
    expect([stamped.value('to'), stamped.callId]).toEqual(['<sip:b@c>', '7']);
    const again = asRequest(Buffer.from(text));
    expect([again.head, again.via]).toEqual([stamped.head, stamped.via]);
  });

  test.each([
    ['192.0.2.9;branch=x', undefined],
    ['192.0.2.1;branch=x', '192.0.2.1;branch=x;received=192.0.2.9'],
    ['phone.example.com:5060', 'phone.example.com:5060;received=192.0.2.9'],
    ['192.0.2.9;rport', '192.0.2.9;rport=40000;received=192.0.2.9'],
    ['192.0.2.9;rport=1;received=198.51.100.1', '192.0.2.9;rport=40000;received=192.0.2.9'],
    ['192.0.2.9;received=198.51.100.1', '192.0.2.9;received=192.0.2.9'],
  ])('%s becomes %s', (text, stamped) => {
    expect(stampVia(via(text), source)).toEqual(stamped && via(stamped));
  });

  test('an IPv6 sent-by in brackets is the same address', () => {
    expect(stampVia(via('[2001:DB8::1]'), { address: '2001:db8::1', port: 5060 })).toBeUndefined();
  });

  test.each([
    ['h.example.com', 'h.example.com', 5060],
    ['h.example.com:5070', 'h.example.com', 5070],
    ['h.example.com:5070;received=192.0.2.9;rport=40000', '192.0.2.9', 40_000],
    ['[2001:db8::1]:5070;maddr=203.0.113.1', '2001:db8::1', 5070],
  ])('a response by %s goes to %s port %i', (text, address, port) => {
    expect(responseEndpoint(via(text))).toEqual({ address, port });
  });

  test('over TLS the default port is 5061', () => {
    expect(responseEndpoint({ ...via('h'), transport: 'TLS' }).port).toBe(5061);
  });
});

describe('RFC 3263', () => {
  const zone: Record<string, DnsRecord[]> = {
    'NAPTR example.com': [
      { type: 'NAPTR', order: 100, preference: 10, service: 'SIP+D2U', replacement: '_sip._udp.example.com' },
      {
        type: 'NAPTR',
        order: 50,
        preference: 50,
        service: 'SIPS+D2T',
        replacement: '_sips._tcp.example.com',
      },
      { type: 'NAPTR', order: 90, preference: 50, service: 'SIP+D2T', replacement: '_sip._tcp.example.com' },
      { type: 'NAPTR', order: 10, preference: 50, service: 'SIP+D2S', replacement: '_sip._sctp.example.com' },
    ],
    'SRV _sip._tcp.example.com': [
      { type: 'SRV', priority: 1, weight: 1, port: 5070, name: 'b.example.com' },
      { type: 'SRV', priority: 0, weight: 1, port: 5060, name: 'a.example.com' },
    ],
    'SRV _sip._udp.example.com': [{ type: 'SRV', priority: 0, weight: 1, port: 5080, name: 'a.example.com' }],
    'SRV _sips._tcp.example.com': [
      { type: 'SRV', priority: 0, weight: 1, port: 5061, name: 'a.example.com' },
    ],
    'SRV _sip._udp.plain.example.com': [
      { type: 'SRV', priority: 0, weight: 0, port: 5060, name: 'a.example.com' },
    ],
    'A a.example.com': [
      { type: 'A', address: '192.0.2.1' },
      { type: 'A', address: '192.0.2.2' },
    ],
    'AAAA b.example.com': [{ type: 'AAAA', address: '2001:db8::b' }],
    'A b.example.com': [{ type: 'A', address: '192.0.2.3' }],
    'A bare.example.com': [{ type: 'A', address: '192.0.2.7' }],
  };

  function locate(text: string, transports: readonly Transport[] = ['UDP', 'TCP', 'TLS'], targetsMax = 10) {
    const uri = parseSipUri(text);
    if (!uri) throw new Error(`malformed ${text}`);
    const asked: string[] = [];
    const lookups = locateServers(uri, { transports, random: () => 0, targetsMax });
    let step = lookups.next();
    while (!step.done) {
      const question = `${step.value.type} ${step.value.name}`;
      asked.push(question);
      step = lookups.next(zone[question] ?? []);
    }
    return {
      asked,
      targets: step.value.map(({ transport, address, port }) => `${transport} ${address} ${port}`),
    };
  }

  test.each([
    ['sip:192.0.2.5', ['UDP 192.0.2.5 5060']],
    ['sip:192.0.2.5:5090;transport=tcp', ['TCP 192.0.2.5 5090']],
    ['sips:192.0.2.5', ['TLS 192.0.2.5 5061']],
    ['sip:[2001:db8::5];transport=tls', ['TLS 2001:db8::5 5061']],
    ['sip:example.com;maddr=192.0.2.6', ['UDP 192.0.2.6 5060']],
    ['sip:192.0.2.5;transport=sctp', []],
  ])('%s needs no DNS', (text, targets) => {
    expect(locate(text)).toEqual({ asked: [], targets });
  });

  test('a port makes the name be looked up as it is', () => {
    expect(locate('sip:b.example.com:5090')).toEqual({
      asked: ['AAAA b.example.com', 'A b.example.com'],
      targets: ['UDP 2001:db8::b 5090', 'UDP 192.0.2.3 5090'],
    });
  });

  test('a transport leads straight to its SRV records', () => {
    expect(locate('sip:example.com;transport=tcp').targets).toEqual([
      'TCP 192.0.2.1 5060',
      'TCP 192.0.2.2 5060',
      'TCP 2001:db8::b 5070',
      'TCP 192.0.2.3 5070',
    ]);
  });

  test('without one NAPTR says which transports to use, in its order, and only those both sides speak', () => {
    const { asked, targets } = locate('sip:example.com');
    expect(asked.slice(0, 4)).toEqual([
      'NAPTR example.com',
      'SRV _sips._tcp.example.com',
      'SRV _sip._tcp.example.com',
      'SRV _sip._udp.example.com',
    ]);
    expect(targets[0]).toBe('TLS 192.0.2.1 5061');
    expect(targets.at(-1)).toBe('UDP 192.0.2.2 5080');
    expect(locate('sip:example.com', ['UDP']).targets).toEqual(['UDP 192.0.2.1 5080', 'UDP 192.0.2.2 5080']);
  });

  test('sips takes TLS only', () => {
    expect(new Set(locate('sips:example.com').targets.map((target) => target.slice(0, 3)))).toEqual(
      new Set(['TLS']),
    );
    expect(locate('sips:example.com;transport=tcp').targets[0]).toBe('TLS 192.0.2.1 5061');
  });

  test('without NAPTR the SRV records of each transport are asked for, without those the address', () => {
    expect(locate('sip:plain.example.com').targets).toEqual(['UDP 192.0.2.1 5060', 'UDP 192.0.2.2 5060']);
    expect(locate('sip:bare.example.com').targets).toEqual(['UDP 192.0.2.7 5060']);
    expect(locate('sip:nowhere.example.com').targets).toEqual([]);
  });

  test('no more targets than wanted', () => {
    const { asked, targets } = locate('sip:example.com;transport=tcp', ['TCP'], 1);
    expect(targets).toEqual(['TCP 192.0.2.1 5060']);
    expect(asked).not.toContain('A b.example.com');
  });

  test('records of one priority are drawn by weight, weight 0 last', () => {
    const records = [
      { priority: 0, weight: 0, name: 'z' },
      { priority: 0, weight: 1, name: 'a' },
      { priority: 0, weight: 3, name: 'b' },
      { priority: 5, weight: 9, name: 'y' },
    ];
    const names = (random: number) =>
      orderByWeight(records, () => random)
        .map(({ name }) => name)
        .join('');
    expect([names(0), names(0.74), names(0.76)]).toEqual(['bazy', 'bazy', 'abzy']);
    expect(orderByWeight([{ priority: 0, weight: 0 }], () => 0.5)).toHaveLength(1);
  });
});

describe('STUN on the SIP port', () => {
  // Transaction id and addresses of RFC 5769 sections 2.2 and 2.3.
  const cookieAndId = '2112a442b7e7a701bc34d686fa87dfae';
  const request = (attributes = '', type = '0001') => {
    const body = Buffer.from(attributes, 'hex');
    const length = body.length.toString(16).padStart(4, '0');
    return Buffer.concat([Buffer.from(`${type}${length}${cookieAndId}`, 'hex'), body]);
  };

  test('a Binding request is answered with the source address, IPv4 and IPv6', () => {
    const v4 = answerStun(request(), { address: '192.0.2.1', port: 32_853 });
    expect(v4?.toString('hex')).toBe(`0101000c${cookieAndId}002000080001a147e112a643`);
    const v6 = answerStun(request(), { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 });
    expect(v6?.subarray(20).toString('hex')).toBe('002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9');
  });

  test('short, mapped and scoped IPv6 addresses are written out', () => {
    const mapped = (address: string) =>
      answerStun(request(), { address, port: 0 })?.subarray(28).toString('hex');
    expect(mapped('::ffff:192.0.2.1')).toBe(mapped('0:0:0:0:0:ffff:c000:201'));
    expect(mapped('fe80::1%eth0')).toBe(mapped('fe80:0:0:0:0:0:0:1'));
  });

  test('attributes it may ignore are ignored, one it must understand is a 420 that names it', () => {
    expect(
      answerStun(request('802200044142434400060001580000008028000400000000'), {
        address: '192.0.2.1',
        port: 1,
      })?.readUInt16BE(0),
    ).toBe(0x0101);
    const refused = answerStun(request('7fff000100000000'), { address: '192.0.2.1', port: 1 });
    expect(refused?.toString('hex')).toBe(`01110010${cookieAndId}0009000400000414000a00027fff0000`);
  });

  test.each([
    ['SIP', Buffer.from('OPTIONS sip:b@example.com SIP/2.0\r\n')],
    ['a Binding indication', request('', '0011')],
    ['a Binding response', request('', '0101')],
    ['an attribute longer than the message', request('802200ff')],
    ['a wrong length', Buffer.concat([request(), Buffer.from([0])])],
    ['another cookie', Buffer.from(request().toString('hex').replace('2112a442', '00000000'), 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('%s is not answered', (_, datagram) => {
    expect(answerStun(datagram, { address: '192.0.2.1', port: 1 })).toBeUndefined();
  });

  test('is told from SIP by its first bytes', () => {
    expect(isStun(request())).toBe(true);
    expect(isStun(Buffer.from('\r\n\r\n'))).toBe(false);
  });
});

describe('flow tokens', () => {
  const keys: TokenKeys = [Buffer.alloc(32, 1)];
  const flow: Flow = {
    transport: 'TLS',
    listener: 3,
    connection: 2 ** 40 + 7,
    address: '2001:db8::1',
    port: 40_000,
  };

  test('name a flow, fit into the user part of a URI, and open only with a key of ours', () => {
    const token = encodeFlowToken(keys, flow);
    expect(decodeFlowToken(keys, token)).toEqual(flow);
    expect(parseSipUri(`sip:${token}@edge.example.com;lr;ob`)?.user).toBe(token);
    expect(decodeFlowToken([Buffer.alloc(32, 2)], token)).toBeUndefined();
    expect(decodeFlowToken([Buffer.alloc(32, 2), keys[0]], token)).toEqual(flow);
  });

  test('are refused when any character is changed, added or missing', () => {
    const token = encodeFlowToken(keys, flow);
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A';
      expect(
        decodeFlowToken(keys, token.slice(0, i) + other + token.slice(i + 1)),
        `at ${i}`,
      ).toBeUndefined();
    }
    for (const text of [`${token}A`, token.slice(1), `${token}=`, `${token}!`, '', 'sip']) {
      expect(decodeFlowToken(keys, text)).toBeUndefined();
    }
  });

  test('are not interchangeable with tokens for another purpose', () => {
    expect(decodeFlowToken(keys, sealToken(keys, 'other', Buffer.alloc(20)))).toBeUndefined();
  });
});
