import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { callRecordsFile } from '../../protocol/call-record.ts';
import type { FrontConfig } from '../../protocol/program-config.ts';
import { DnsResolver } from '../../platform/dns/resolver.ts';
import { RotatedLines } from '../../platform/files/rotated-lines.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { ResourceStack } from '../../platform/lifecycle/resource-stack.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import type { Transport } from '../../sip/transport/locate.ts';
import { bindingOf, currentBindings } from '../calls/current-bindings.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Distribution } from '../distribution/distribution.ts';
import type { Links } from '../distribution/links.ts';
import type { Engine } from '../engine/engine.ts';
import type { SourceLimits } from '../transport/source-limits.ts';
import type { Transports } from '../transport/transports.ts';
import { OwnAddresses } from './own-addresses.ts';
import { CallRehearsal } from './call-rehearsal.ts';
import type { Pair } from './ports.ts';
import { Prober } from './prober.ts';
import { createCallDispatch } from './processor-dispatch.ts';
import { Proxy } from './proxy.ts';
import { createServers } from './servers.ts';
import { Ways } from './ways.ts';

export type ProxyParts = {
  readonly config: FrontConfig;
  readonly tokenKeys: TokenKeys;
  readonly engine: Engine;
  readonly transports: Transports;
  readonly limits: SourceLimits;
  readonly dispatcher: Dispatcher;
  readonly distribution: Distribution;
  readonly links: Links;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stack: ResourceStack;
};

const recordFileBytesMax = 64 * 1_048_576;
const recordFilesMax = 15;
const spoken: readonly Transport[] = ['UDP', 'TCP', 'TLS'];

export type StartedProxy = { readonly proxy: Proxy; readonly rehearsal: CallRehearsal };

/** The proxy of this front, among its peers and with the records of its calls. */
export async function startProxy(parts: ProxyParts): Promise<StartedProxy> {
  const {
    config,
    tokenKeys,
    engine,
    transports,
    limits,
    dispatcher,
    distribution,
    links,
    clock,
    log,
    stack,
  } = parts;
  const { site, peers, listeners } = config;
  const pair: Pair = { site, peers, keys: tokenKeys, isLinkUp: (peer) => links.isUp(peer) };
  const own = new OwnAddresses(listeners, tokenKeys);
  const onChange = (uri: string, isAlive: boolean): void =>
    log.info({ uri }, isAlive ? 'answers again' : 'does not answer any longer: calls leave it out');
  const prober = stack.use('probes', new Prober({ engine, own, clock, onChange }));
  const onFailure = (name: string, reason: string): void => log.debug({ name, reason }, 'no DNS records');
  const transportsHere = spoken.filter((name) =>
    listeners.some(({ transport }) => transport === name.toLowerCase()),
  );
  const servers = createServers(new DnsResolver({ onFailure }), transportsHere);
  const ways = new Ways({ pair, transports, servers, prober });
  const records = stack.use('call records', await openRecords(config.callRecords, log));
  const dispatch = createCallDispatch(dispatcher);
  const begunOf = (from: string) => distribution.begunOf(from);
  const bindings = { of: (aor: string) => currentBindings(distribution.flowsOf(aor), begunOf) };
  const proxy = stack.use(
    'proxy',
    new Proxy({
      engine,
      transports,
      own,
      pair,
      ways,
      bindings,
      dispatch,
      clock,
      records: { write: (record) => records.write(JSON.stringify(record)) },
      prove: (flow: Flow) => {
        transports.prove(flow);
        limits.prove(flow.address);
      },
    }),
  );
  distribution.watch((from, row) => {
    if (!row.gone) proxy.onRegistered(bindingOf(from, row));
  });
  const unknownSince = (peer: string): Date | null => links.unknownSince(peer);
  return { proxy, rehearsal: new CallRehearsal({ own, ways, bindings, dispatch, unknownSince }) };
}

async function openRecords(directory: string, log: Logger): Promise<RotatedLines> {
  await mkdir(directory, { recursive: true, mode: 0o750 });
  return new RotatedLines({
    path: join(directory, callRecordsFile),
    fileBytesMax: recordFileBytesMax,
    oldFilesMax: recordFilesMax,
    onProblem: (reason) => log.warn({ reason }, 'call records are lost'),
  });
}
