import { describe, expect, it } from 'vitest';
import { inspectSiteConfig } from '../../../services/site/config/read.ts';
import { plannedPrograms } from '../../../services/site/programs.ts';
import { siteTemplate } from '../../../services/site/config/template.ts';

const template = siteTemplate({
  site: 'c1',
  publicHost: '192.0.2.1',
  listenHost: '0.0.0.0',
  firstPort: 7400,
});

function faultsIn(text: string): readonly string[] {
  const inspection = inspectSiteConfig(text);
  if (!('faults' in inspection)) return [];
  return inspection.faults.map(({ line, key, message }) => `${line} ${key}: ${message}`);
}

/** The template with some lines replaced; each has to be there. */
function edited(...edits: readonly [from: string, to: string][]): string {
  return edits.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, template);
}

/** Number of the first line that starts with `start`. */
function lineOf(text: string, start: string): number {
  return text.split('\n').findIndex((line) => line.startsWith(start)) + 1;
}

describe('site.yaml', () => {
  it('made for a new site is valid and comments every key', () => {
    const inspection = inspectSiteConfig(template);
    if ('faults' in inspection) throw new Error(JSON.stringify(inspection.faults));
    expect(inspection.config).toMatchObject({
      site: 'c1',
      postgres: { home: 'embedded', shared: 'embedded' },
      link: { listen: { host: '0.0.0.0', port: 7400 } },
      schedules: { verification: 3_600_000 },
      peers: [],
    });
    const keys = template.split('\n').filter((line) => /^[# ]*[a-z_]+:( |$)/.test(line));
    expect(keys.length).toBeGreaterThan(20);
  });

  it('says the same when what stands as a comment is taken in', () => {
    const active = template.replaceAll(/^# ((?: {2})?[a-z_]+:(?: \S+)?)$/gm, '$1');
    expect(active).toContain('\n  verification: 1h');
    const [a, b] = [inspectSiteConfig(active), inspectSiteConfig(template)];
    expect('config' in a && a.config).toEqual('config' in b && b.config);
  });

  it('has all of its faults reported at once, by line and key', () => {
    const text = edited(
      ['site: c1', 'site: C1'],
      ['listen: 0.0.0.0:7400', 'listen: 0.0.0.0:74000\n  tls: true'],
      ['passive_ports: 7410-7429', 'passive_ports: 7429-7410'],
      ['peers: []', 'peers:\n  - name: c2\n    link: c2.example'],
      ['#   verification: 1h', '#   verification: 1h\nschedules:\n  verification: soon'],
    );
    expect(faultsIn(text)).toEqual([
      `${lineOf(text, 'site:')} site: a lower-case letter, then at most 30 letters, digits or hyphens`,
      `${lineOf(text, 'link:') + 2} link.listen: Expected host:port, such as 192.0.2.1:7400`,
      `${lineOf(text, 'link:') + 3} link.tls: There is no such key`,
      `${lineOf(text, '  passive_ports:')} ftp.passive_ports: Expected first-last, such as 7410-7429`,
      `${lineOf(text, 'peers:') + 2} peers[0].link: Expected host:port, such as 192.0.2.1:7400`,
      `${lineOf(text, '  verification:')} schedules.verification: Expected a duration such as 30s, 15min, 1h or 2d, or never`,
    ]);
  });

  it('names what contradicts itself', () => {
    const text = edited(
      ['127.0.0.1:7402', '127.0.0.1:7415'],
      ['loopback_ports: 7432-7463', 'loopback_ports: 7432-7438'],
      [
        'peers: []',
        'peers:\n  - {name: c1, link: "h:1"}\n  - {name: c2, link: "h:1", sends: false, receives: false}',
      ],
    );
    expect(faultsIn(text).map((fault) => fault.replace(/^\d+ /, ''))).toEqual([
      'api.listen: The port is also that of ftp.passive_ports',
      'loopback_ports: 12 ports are needed with 2 peers',
      'peers[0].name: "c1" is this site itself',
      'peers[1].name: "c2" neither keeps a copy of this site nor is copied here',
    ]);
  });

  it('has ports of datagrams apart from those of streams', () => {
    const shared = edited(['tcp:\n    # What', 'tcp:\n    listen: 0.0.0.0:7405\n    # What']).replace(
      /(tcp:\n    listen: 0.0.0.0:7405\n(?:    #.*\n)+)    listen: .*\n/,
      '$1',
    );
    expect(faultsIn(shared).map((fault) => fault.replace(/^\d+ /, ''))).toEqual([
      'sip.tls.listen: The port is also that of sip.tcp.listen',
    ]);
    expect(faultsIn(template.replace(/^sip:\n(?: .*\n)+/m, 'sip: {}\n'))).toEqual([
      expect.stringContaining('sip: One of udp, tcp and tls is needed'),
    ]);
  });

  it('may do without telephony, as one did that was made before there was any', () => {
    const inspection = inspectSiteConfig(template.replace(/^sip:\n(?: .*\n)+/m, ''));
    expect('config' in inspection && plannedPrograms(inspection.config).map(({ name }) => name)).toEqual([
      'synchronizer',
      'api',
    ]);
  });

  it.each([
    ['a list that is not closed', 'site: [c1\n', 2],
    ['a key given twice', 'site: c1\nsite: c2\n', 2],
    ['an alias', 'site: &a c1\ndata_dir: *a\n', 2],
  ])('that is not YAML of ours is refused by line: %s', (_what, text, line) => {
    expect(faultsIn(text)).toEqual([expect.stringMatching(new RegExp(`^${line} : `))]);
  });

  it('that is empty lacks every key that has no default', () => {
    const missing = faultsIn('').filter((fault) => fault.endsWith('This key is missing'));
    expect(missing).toHaveLength(faultsIn('').length);
    expect(missing.join()).toContain('public_host');
  });

  it('keeps its comments when a peer is added', () => {
    const { document } = inspectSiteConfig(template);
    document.append(['peers'], { name: 'c2', link: 'c2.example:7400' });
    const comments = (text: string): readonly string[] =>
      text.split('\n').flatMap((line) => /#.*/.exec(line)?.[0].replaceAll(/\s+/g, ' ') ?? []);
    expect(comments(document.toString())).toEqual(comments(template));
    const inspection = inspectSiteConfig(document.toString());
    expect('config' in inspection && inspection.config.peers).toMatchObject([
      { name: 'c2', link: { host: 'c2.example', port: 7400 }, sends: true, receives: true },
    ]);
  });
});
