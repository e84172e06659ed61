import { Option } from 'commander';
import type { Command } from 'commander';
import { LogName } from '../../protocol/names.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { readSiteFile } from '../../site/config/read.ts';
import { openInvitation } from '../../site/pairing/invite.ts';
import { joinInvitation } from '../../site/pairing/join.ts';
import { removePeer } from '../../site/pairing/peers.ts';
import type { Direction } from '../../site/pairing/peers.ts';
import { formatTime } from '../output/format.ts';
import { openApi } from '../connection.ts';
import { durationOption } from '../options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { addVerb } from '../verb.ts';
import { runJob } from './transfer.ts';

const directions = {
  both: { sends: true, receives: true },
  'to-peer': { sends: true, receives: false },
  'from-peer': { sends: false, receives: true },
} as const satisfies Record<string, Direction>;

type AcceptOptions = { readonly log: LogName; readonly reason: string };

type InviteOptions = { readonly validFor: number; readonly direction: keyof typeof directions };

/** `dualhome pair …`: making sites each other's peers. */
export function addPairVerbs(parent: Command): void {
  const pair = parent.command('pair').description("Make two sites each other's peers");
  addInvite(pair);
  addVerb<object, [token: string]>(pair, {
    name: 'join',
    description: 'Become the peer of the site that printed the token; exchanges names, certificates and keys',
    examples: ['pair join dGhlIHRva2Vu...'],
    define: (command) => command.argument('<token>', 'what `dualhome pair invite` printed'),
    run: async (out, { config }, token) => {
      const file = await readSiteFile(config);
      const { peer, direction } = await joinInvitation(file, token);
      out.result({ site: file.config.site, peer, ...direction }, () => paired(peer, direction));
    },
  });
  addVerb<AcceptOptions, [peer: string]>(pair, {
    name: 'accept',
    description:
      "Give up this site's copy of a peer whose history does not go on from it, and take its present one",
    examples: ['site save-copy c1 --to /media/c1-copy', 'pair accept c1 --reason "restored on purpose"'],
    define: (command) =>
      command
        .argument('<peer>', 'whose copy is given up; save it first, see `dualhome site save-copy`')
        .addOption(
          new Option('--log <log>', 'of which log').choices(Object.values(LogName)).default('configuration'),
        )
        .requiredOption('--reason <text>', 'why; kept with the job'),
    run: async (out, options, peer) => {
      using api = await openApi(options);
      const { log, reason } = options;
      await runJob(out, api, { kind: 'accept', peer, log, reason }, true);
    },
  });
  addVerb<object, [peer: string]>(pair, {
    name: 'remove',
    description: 'Forget a peer and its keys; its standby database stays on disk. Do it at both sites',
    examples: ['pair remove c2'],
    define: (command) => command.argument('<peer>', 'name of the peer'),
    run: async (out, { config }, peer) => {
      await removePeer(await readSiteFile(config), peer);
      out.result({ removed: peer }, () => `${peer} is no longer a peer.`);
    },
  });
}

function addInvite(pair: Command): void {
  addVerb<InviteOptions>(pair, {
    name: 'invite',
    description: 'Print a single-use token for the other site and wait until it has joined',
    examples: ['pair invite', 'pair invite --valid-for 1h --direction to-peer'],
    define: (command) =>
      command
        .addOption(durationOption('--valid-for <time>', 'how long to wait', { defaultMs: 900_000 }))
        .addOption(
          new Option(
            '--direction <direction>',
            'who keeps a copy of whom; in a ring each pair has one direction',
          )
            .choices(Object.keys(directions))
            .default('both'),
        ),
    run: async (out, { config, validFor: validForMs, direction }) => {
      const file = await readSiteFile(config);
      const log = createLogger({ program: 'pairing', level: 'warn' });
      await using invitation = await openInvitation(file, {
        direction: directions[direction],
        validForMs,
        log,
      });
      const { token, expiresMs } = invitation;
      const expires = new Date(expiresMs);
      out.result({ site: file.config.site, token, expires: expires.toISOString() }, () => token);
      out.note(`\nAt the other site: dualhome pair join TOKEN   (valid until ${formatTime(expires)}, once)`);
      const peer = await untilInterrupted((signal) => invitation.joined(signal));
      out.result({ site: file.config.site, peer, ...directions[direction] }, () =>
        paired(peer, directions[direction]),
      );
    },
  });
}

function paired(peer: string, { sends, receives }: Direction): string {
  const copies = [
    ...(sends ? [`${peer} keeps a copy of this site`] : []),
    ...(receives ? [`this site keeps a copy of ${peer}`] : []),
  ];
  return `Paired with ${peer}: ${copies.join(', ')}.`;
}
