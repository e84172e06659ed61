import { configKeys } from './describe.ts';
import type { ConfigKey } from './describe.ts';
import { formatAddress } from './values.ts';

/** What `site init` has to know; everything else has a default. */
export type NewSite = {
  readonly site: string;
  /** Under which peers reach this machine. */
  readonly publicHost: string;
  /** Address the peers' ports listen on. */
  readonly listenHost: string;
  /** First of the ports of this site, see `portsFrom`. */
  readonly firstPort: number;
  /** SIP over UDP and TCP; the next one is that of TLS. Two of the site's own ports, unless given. */
  readonly sipPort?: number | undefined;
  readonly dataDir?: string | undefined;
};

/** Ports a site takes from its first one. */
export const portsPerSite = 64;

/** The ports of a new site: six that listen, then passive ports of FTP, then those on loopback. */
export function portsFrom(first: number) {
  const [link, ftp, api, pairing, sip] = [first, first + 1, first + 2, first + 3, first + 4];
  return {
    link,
    ftp,
    api,
    pairing,
    sip,
    passive: range(first + 10, 20),
    loopback: range(first + 32, 32),
  } as const;
}

function range(min: number, count: number): string {
  return `${min}-${min + count - 1}`;
}

const widthMax = 96;

/** A site.yaml with a comment on every key; what has a default stands as a comment with it. */
export function siteTemplate({ site, publicHost, listenHost, firstPort, sipPort, dataDir }: NewSite): string {
  const ports = portsFrom(firstPort);
  const sip = sipPort ?? ports.sip;
  const at = (port: number): string => formatAddress({ host: listenHost, port });
  const values: Values = {
    site,
    public_host: publicHost,
    ...(dataDir === undefined ? {} : { data_dir: dataDir }),
    sip: { udp: { listen: at(sip) }, tcp: { listen: at(sip) }, tls: { listen: at(sip + 1) } },
    link: { listen: at(ports.link) },
    ftp: { listen: at(ports.ftp), passive_ports: ports.passive },
    api: { listen: formatAddress({ host: '127.0.0.1', port: ports.api }) },
    pairing: { listen: at(ports.pairing) },
    loopback_ports: ports.loopback,
    peers: [],
  };
  const head = '# One site of dualhome. `dualhome site check` tells what is wrong in here, by line.\n';
  return `${head}\n${configKeys.map((key) => render(key, values)).join('\n')}`;
}

type Values = { readonly [key: string]: string | readonly never[] | Values };

function render({ name, description, keys, list, fallback }: ConfigKey, values: Values): string {
  const value = values[name];
  const comment = wrap(description).map((line) => `# ${line}\n`);
  if (keys.length === 0 || list) {
    const shown = typeof value === 'string' ? value : (fallback ?? (list ? '[]' : ''));
    return `${comment.join('')}${value === undefined ? '# ' : ''}${`${name}: ${shown}`.trimEnd()}\n`;
  }
  const inner = typeof value === 'object' && !Array.isArray(value) ? (value as Values) : {};
  const body = `${name}:\n${prefix('  ', keys.map((key) => render(key, inner)).join(''))}`;
  return `${comment.join('')}${value === undefined ? prefix('# ', body.replaceAll(/^( *)# (?=\w+: )/gm, '$1')) : body}`;
}

function prefix(text: string, lines: string): string {
  return lines.replaceAll(/^(?=.)/gm, text);
}

function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= widthMax)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
