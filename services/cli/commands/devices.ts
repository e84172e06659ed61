import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { digestHa1 } from '../../sip/auth/digest.ts';
import { defaultBehaviour, Population } from '../../simulator/population.ts';
import type { Account } from '../../simulator/population.ts';
import { isAbortOf } from '../../platform/lifecycle/abort.ts';
import { isDualhomeError } from '../../protocol/errors/index.ts';
import type { Address } from '../../protocol/program-config.ts';
import { parseAddress } from '../../site/config/values.ts';
import { exitCodes } from '../exit-codes.ts';
import { untilInterrupted } from '../interrupt.ts';
import { durationOption, wholeNumber } from '../options.ts';
import { describeTally, renderTally } from '../output/tally-screen.ts';
import type { Output } from '../output/output.ts';
import { addVerb } from '../verb.ts';

type AccountOptions = {
  readonly count: number;
  readonly domain: string;
  readonly firstUser: string;
  readonly password: string;
};

type RunOptions = AccountOptions & {
  readonly primary: Address;
  readonly backup: Address;
  readonly rate: number;
  readonly probe: number;
  readonly missed: number;
  readonly answer: number;
  readonly expires: number;
  readonly duration: number | undefined;
  readonly from: string;
  readonly returns: boolean;
  readonly unregister: boolean;
};

type SubscriberOptions = AccountOptions & {
  readonly realm: string | undefined;
  readonly home: string;
  readonly backupSite: string | undefined;
};

const showEveryMs = 1_000;
const unregisterWithinMs = 10_000;

/** `dualhome devices …`: simulated devices, for drills, demos and load. */
export function addDeviceVerbs(parent: Command): void {
  const devices = parent.command('devices').description('Simulated devices for drills, demos and load');
  addVerb<RunOptions>(devices, {
    name: 'run',
    description:
      'Switches devices on that register at their primary, ask it by OPTIONS whether they are served, and move by ' +
      'themselves to their backup when it is gone; then says how many are where, and how long each move took',
    examples: [
      'devices run --count 200 --domain c1.example --primary 192.0.2.1:5060 --backup 198.51.100.1:5060',
      'devices run --count 5000 --rate 500 --for 5min --json --domain c1.example --primary 127.0.0.1:5060 --backup 127.0.0.1:5070',
    ],
    define: (command) =>
      withAccounts(command)
        .requiredOption('--primary <host:port>', 'where they register first (UDP)', address)
        .requiredOption('--backup <host:port>', 'where they go when the primary does not serve them', address)
        .option('--rate <devices>', 'devices switched on in a second', wholeNumber(1, 100_000), 100)
        .addOption(
          durationOption('--probe <time>', 'between two OPTIONS of a device', {
            defaultMs: defaultBehaviour.probeIntervalMs,
          }),
        )
        .option(
          '--missed <times>',
          'handshakes in a row that fail until a device moves',
          wholeNumber(1, 100),
          defaultBehaviour.missedMax,
        )
        .addOption(
          durationOption('--answer <time>', 'how long an answer is waited for', { defaultMs: 2_000 }),
        )
        .addOption(
          durationOption('--expires <time>', 'expiry asked for', {
            defaultMs: defaultBehaviour.expiresSeconds * 1_000,
            minMs: 10_000,
            maxMs: 86_400_000,
          }),
        )
        .addOption(durationOption('--for <time>', 'end after this time; until Ctrl-C, unless given'))
        .option('--from <address>', 'local address they send from', '127.0.0.1')
        .option('--return', 'they look for their primary and go back to it by themselves', false)
        .option('--unregister', 'end the registrations at the end; otherwise they fall silent', false),
    run: async (out, options) => runDevices(out, { ...options, ...renamed(options) }),
  });
  addVerb<SubscriberOptions>(devices, {
    name: 'subscribers',
    description:
      'Prints the subscribers that such devices register as, one JSON a line, ready to be imported',
    examples: [
      'devices subscribers --count 200 --domain c1.example --home c1 --backup-site c2 | npx dualhome config import subscriber - --format ndjson',
    ],
    define: (command) =>
      withAccounts(command)
        .requiredOption('--home <site>', 'their home site')
        .option('--backup-site <site>', 'their backup site')
        .option('--realm <realm>', 'digest realm of the domain; the domain itself, unless given'),
    run: (_out, options) => printSubscribers(options),
  });
}

/** Options whose names are no identifiers. */
function renamed(options: object): { readonly duration: number | undefined; readonly returns: boolean } {
  const given = options as { readonly for?: number; readonly return?: boolean };
  return { duration: given.for, returns: given.return ?? false };
}

function withAccounts(command: Command): Command {
  return command
    .requiredOption('--count <devices>', 'how many', wholeNumber(1, 1_000_000))
    .requiredOption('--domain <domain>', 'their SIP domain')
    .option('--first-user <digits>', 'user of the first one; the others count on from it', digits, '000001')
    .option('--password <text>', 'their password; {user} stands for the user', 'secret-{user}');
}

function accountsOf({ count, domain, firstUser, password }: AccountOptions): readonly Account[] {
  return Array.from({ length: count }, (_, i) => {
    const user = String(Number(firstUser) + i).padStart(firstUser.length, '0');
    return { user, domain, password: password.replaceAll('{user}', user) };
  });
}

async function runDevices(out: Output, options: RunOptions): Promise<void> {
  const { primary, backup, rate, probe, missed, answer, expires, from, returns, unregister } = options;
  await using population = await Population.start({
    accounts: accountsOf(options),
    sites: { primary: endpoint(primary), backup: endpoint(backup) },
    behaviour: {
      ...defaultBehaviour,
      probeIntervalMs: probe,
      missedMax: missed,
      expiresSeconds: Math.ceil(expires / 1_000),
      returns,
    },
    startsPerSecond: rate,
    answerMsMax: answer,
    address: from,
  });
  await untilInterrupted((signal) => watch(population, out, options.duration, signal)).catch(
    (error: unknown) => {
      if (!isDualhomeError(error, 'CLI_INTERRUPTED')) throw error;
    },
  );
  const tally = population.tally();
  if (unregister) await population.unregister(AbortSignal.timeout(unregisterWithinMs));
  out.result(tally, () => renderTally(tally));
  if (tally.nowhere > 0) process.exitCode = exitCodes.failed;
}

/** Shows how things stand each second, on standard error. */
async function watch(
  population: Population,
  out: Output,
  durationMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const endMs = performance.now() + (durationMs ?? Infinity);
  while (performance.now() < endMs) {
    await sleep(Math.min(showEveryMs, endMs - performance.now()), undefined, { signal }).catch(
      (error: unknown) => {
        if (!isAbortOf(signal, error)) throw error;
      },
    );
    signal.throwIfAborted();
    out.note(describeTally(population.tally()));
  }
}

function printSubscribers(options: SubscriberOptions): void {
  const { realm = options.domain, home, backupSite } = options;
  for (const { user, domain, password } of accountsOf(options)) {
    const row = {
      aor: `${user}@${domain}`,
      ha1_md5: digestHa1('MD5', user, realm, password),
      home_site: home,
      ...(backupSite === undefined ? {} : { backup_site: backupSite }),
    };
    process.stdout.write(`${JSON.stringify(row)}\n`);
  }
}

function endpoint({ host, port }: Address): { readonly address: string; readonly port: number } {
  return { address: host, port };
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed) throw new InvalidArgumentError('Expected host:port, such as 192.0.2.1:5060.');
  return parsed;
}

function digits(text: string): string {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError('Expected digits.');
  return text;
}
