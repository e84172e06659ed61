import type { Address } from '../../protocol/program-config.ts';
import type { YamlPath } from '../../platform/yaml/document.ts';
import type { SiteConfig } from './schema.ts';
import type { PortRange } from './values.ts';

/** Something wrong with the value at `path`. */
export type Inconsistency = { readonly path: YamlPath; readonly message: string };

/** Loopback ports a site needs: databases and programs, with room for peers. */
const loopbackPortsMin = 8;

/** What contradicts itself although every value alone is valid. */
export function inconsistenciesOf(config: SiteConfig): readonly Inconsistency[] {
  return [...peerFaults(config), ...sipFaults(config), ...portFaults(config), ...rangeFaults(config)];
}

function peerFaults({ site, peers }: SiteConfig): Inconsistency[] {
  return peers.flatMap(({ name, sends, receives }, index) => {
    const path = ['peers', index, 'name'];
    const faults: Inconsistency[] = [];
    if (name === site) faults.push({ path, message: `"${name}" is this site itself` });
    if (peers.findIndex((peer) => peer.name === name) < index) {
      faults.push({ path, message: `The peer "${name}" is listed twice` });
    }
    if (!sends && !receives) {
      faults.push({ path, message: `"${name}" neither keeps a copy of this site nor is copied here` });
    }
    return faults;
  });
}

function sipFaults({ sip }: SiteConfig): Inconsistency[] {
  if (!sip || sip.udp || sip.tcp || sip.tls) return [];
  return [{ path: ['sip'], message: 'One of udp, tcp and tls is needed' }];
}

/** Datagrams have ports of their own. */
type UsedPorts = PortRange & { readonly path: YamlPath };

function portFaults({ sip, link, ftp, api, pairing, loopback_ports }: SiteConfig): Inconsistency[] {
  const single = (path: YamlPath, { port }: Address): UsedPorts => ({ path, min: port, max: port });
  const used: readonly UsedPorts[] = [
    ...(sip?.tcp ? [single(['sip', 'tcp', 'listen'], sip.tcp.listen)] : []),
    ...(sip?.tls ? [single(['sip', 'tls', 'listen'], sip.tls.listen)] : []),
    single(['link', 'listen'], link.listen),
    single(['ftp', 'listen'], ftp.listen),
    { path: ['ftp', 'passive_ports'], ...ftp.passive_ports },
    single(['api', 'listen'], api.listen),
    single(['pairing', 'listen'], pairing.listen),
    { path: ['loopback_ports'], ...loopback_ports },
  ];
  return used.flatMap((ports, index) => {
    const other = used.slice(0, index).find(({ min, max }) => ports.min <= max && min <= ports.max);
    return other ? [{ path: ports.path, message: `The port is also that of ${other.path.join('.')}` }] : [];
  });
}

function rangeFaults({ peers, loopback_ports: { min, max } }: SiteConfig): Inconsistency[] {
  const needed = loopbackPortsMin + 2 * peers.length;
  const message = `${needed} ports are needed with ${peers.length} peers`;
  return max - min + 1 < needed ? [{ path: ['loopback_ports'], message }] : [];
}
