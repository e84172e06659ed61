import type { Command } from 'commander';
import { jobPreviewSchema } from '../../protocol/rest/jobs.ts';
import type { JobKind } from '../../protocol/rest/jobs.ts';
import { LogName } from '../../protocol/names.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { HttpClient } from '../../platform/http/client.ts';
import { statusSchema } from '../../protocol/status.ts';
import { openApi } from '../connection.ts';
import { untilInterrupted } from '../interrupt.ts';
import { followJob, requestJob, requireDone } from '../jobs.ts';
import type { JobWish } from '../jobs.ts';
import { logOption, rangeOf, requireKind } from '../options.ts';
import { renderJob, renderPreview } from '../output/job-screen.ts';
import type { Output } from '../output/output.ts';
import { withProgress } from '../output/progress.ts';
import { addVerb } from '../verb.ts';
import type { CommonOptions } from '../verb.ts';

type TransferOptions = {
  readonly log: LogName | undefined;
  readonly peer: string | undefined;
  readonly kind: readonly string[] | undefined;
  readonly keyRange: string | undefined;
  readonly preview: boolean | undefined;
  readonly reason: string;
  readonly wait: boolean;
};

type TransferVerb = {
  readonly job: JobKind;
  readonly name: string;
  readonly description: string;
  readonly examples: readonly string[];
  /** Whether one log, or a part of it, can be named. */
  readonly scoped: boolean;
};

const resync: TransferVerb = {
  job: 'resync',
  name: 'resync',
  description: "Push this site's state to the peer's standby, as a snapshot",
  examples: [
    'resync --preview',
    'resync',
    'resync --log registration',
    'resync --kind subscriber --key-range a..m --reason "after repair"',
  ],
  scoped: true,
};

const pull: TransferVerb = {
  job: 'pull',
  name: 'pull',
  description: "Fetch the peer's state into this site's standby, as a snapshot",
  examples: ['pull --preview', 'pull --kind number'],
  scoped: true,
};

const bootstrap: TransferVerb = {
  job: 'bootstrap',
  name: 'bootstrap',
  description:
    'Fill the copies of both sites, of configuration and registrations, from snapshots, and verify them',
  examples: ['pair bootstrap', 'pair bootstrap --preview --json'],
  scoped: false,
};

/** `dualhome resync`, `dualhome pull`, `dualhome pair bootstrap`. */
export function addTransferVerbs(parent: Command): void {
  addTransfer(parent, resync);
  addTransfer(parent, pull);
  const pair = parent.commands.find((command) => command.name() === 'pair');
  if (pair) addTransfer(pair, bootstrap);
}

function addTransfer(parent: Command, { job, name, description, examples, scoped }: TransferVerb): void {
  addVerb<TransferOptions>(parent, {
    name,
    description,
    examples,
    define: (command) => {
      withJobOptions(command).option('--preview', 'only say direction, rows, bytes and expected time');
      if (!scoped) return;
      command
        .addOption(logOption())
        .option('--kind <kind...>', 'only these kinds')
        .option('--key-range <A..B>', 'only keys of the one kind from A up to but without B');
    },
    run: async (out, options) => {
      using api = await openApi(options);
      const { log } = options;
      const wish: JobWish = {
        kind: job,
        log,
        peer: options.peer ?? (await onlyPeer(api, canDo[job], log)),
        scope: scopeOf(options),
        reason: options.reason,
      };
      if (!options.preview) {
        await runJob(out, api, wish, options.wait);
        return;
      }
      const preview = await api.request('POST', '/v1/jobs/preview', { body: wish, answer: jobPreviewSchema });
      out.result(preview, () => renderPreview(preview));
    },
  });
}

/** Options of every verb that starts a job. */
export function withJobOptions(command: Command): Command {
  return command
    .option('--peer <site>', 'the other site; may be left out where there is one')
    .option('--reason <text>', 'why; kept with the job', '')
    .option('--no-wait', 'return once the job is queued');
}

/** Starts a job, follows it to its end with progress, and prints it. Ctrl-C leaves it running. */
export async function runJob(out: Output, api: HttpClient, wish: JobWish, wait: boolean): Promise<void> {
  const queued = await requestJob(api, wish);
  if (!wait) {
    out.result(queued, () => renderJob(out, queued));
    return;
  }
  out.note(`Job ${queued.id}; Ctrl-C leaves it running, see \`dualhome jobs\`.`);
  const job = await withProgress(out, wish.kind, (onProgress) =>
    untilInterrupted((signal) => followJob(api, queued.id, onProgress, signal)),
  );
  out.result(job, () => renderJob(out, job));
  requireDone(job);
}

/** With which peers a job is possible: those that keep a copy of this site, those that are copied here. */
export type PeerFilter = { readonly sends: boolean; readonly receives: boolean };

const canDo: Readonly<Partial<Record<JobKind, PeerFilter>>> = {
  resync: { sends: true, receives: false },
  pull: { sends: false, receives: true },
};

/** @throws CLI_USAGE where there is none, or more than one */
export async function onlyPeer(
  api: HttpClient,
  { sends, receives }: PeerFilter = { sends: true, receives: true },
  log: LogName = LogName.configuration,
): Promise<string> {
  const status = await api.request('GET', '/v1/status', { answer: statusSchema });
  const peers = status.peers.filter(
    ({ directions }) =>
      directions.length === 0 ||
      directions.some((each) => each.log === log && (each.from === status.site ? sends : receives)),
  );
  const [first] = peers;
  if (first && peers.length === 1) return first.name;
  const names = peers.map(({ name }) => name).join(', ');
  throw new DualhomeError('CLI_USAGE', {
    detail: first ? `--peer is one of ${names}` : 'This site has no peer; see `dualhome pair invite`.',
  });
}

function scopeOf({
  log,
  kind,
  keyRange,
}: Pick<TransferOptions & CommonOptions, 'log' | 'kind' | 'keyRange'>): JobWish['scope'] {
  if (!kind) {
    if (keyRange !== undefined)
      throw new DualhomeError('CLI_USAGE', { detail: '--key-range belongs to one --kind' });
    return { kinds: null, keyRange: null };
  }
  const kinds = kind.map((name) => requireKind(name, log).name);
  if (keyRange === undefined) return { kinds, keyRange: null };
  if (kinds.length > 1) throw new DualhomeError('CLI_USAGE', { detail: '--key-range belongs to one --kind' });
  const { from = null, to = null } = rangeOf(keyRange);
  return { kinds, keyRange: { from, to } };
}
