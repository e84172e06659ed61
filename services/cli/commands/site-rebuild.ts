import type { Command } from 'commander';
import { createLogger } from '../../platform/logging/logger.ts';
import { positionToJson } from '../../protocol/link/position-json.ts';
import { readSiteFile } from '../../site/config/read.ts';
import { rebuildHome } from '../../site/rebuild/rebuild-home.ts';
import { saveCopy } from '../../site/rebuild/save-copy.ts';
import { untilInterrupted } from '../interrupt.ts';
import { formatCount } from '../output/format.ts';
import { addVerb } from '../verb.ts';

/** `dualhome site save-copy`, `dualhome site rebuild`: a lost site comes back from what its peer holds. */
export function addRebuildVerbs(site: Command): void {
  addVerb<{ readonly to: string }, [peer: string]>(site, {
    name: 'save-copy',
    description: "Save this site's copy of a peer into a directory from which the peer can be rebuilt",
    examples: ['site save-copy c1 --to /media/c1-copy'],
    define: (command) =>
      command
        .argument('<peer>', 'whose copy')
        .requiredOption('--to <directory>', 'a new one; holds the keys of the peer, so keep it like them'),
    run: async (out, { config, to }, peer) => {
      const file = await readSiteFile(config);
      const saved = await untilInterrupted((signal) => saveCopy(file, peer, to, signal));
      out.result(saved, () =>
        [
          `The copy of ${peer} is saved as of event ${formatCount(saved.seq)}, ${formatCount(saved.rows)} rows,`,
          `with all events from ${formatCount(saved.completeFrom)} on.`,
          `Carry ${saved.directory} to the new machine; there: dualhome site rebuild DIRECTORY`,
        ].join('\n'),
      );
    },
  });
  addVerb<{ readonly replace: boolean; readonly reason: string }, [directory: string]>(site, {
    name: 'rebuild',
    description: "Fill this site's empty home from a copy that its peer has saved; the site must not run",
    examples: ['site rebuild /media/c1-copy --reason "machine lost"'],
    define: (command) =>
      command
        .argument('<directory>', 'what `dualhome site save-copy` has made at the peer')
        .option(
          '--replace',
          'set aside what home holds; it stays in the same server under another name',
          false,
        )
        .option('--reason <text>', 'why; kept with the new incarnation', ''),
    run: async (out, { config, replace, reason }, directory) => {
      const log = createLogger({ program: 'site', level: 'warn' });
      const rebuilt = await untilInterrupted((signal) =>
        rebuildHome(config, { directory, replace, reason, log, signal }),
      );
      out.result({ ...rebuilt, head: positionToJson(rebuilt.head) }, () =>
        [
          `${rebuilt.site} is rebuilt from the copy of ${rebuilt.holder}: ${formatCount(rebuilt.rows)} rows as of event`,
          `${formatCount(rebuilt.seq)}, ${formatCount(rebuilt.events)} events. A new incarnation begins at ${formatCount(rebuilt.head.seq)}.`,
          'Next: dualhome site start; pair with the peers again if this machine has new keys.',
        ].join('\n'),
      );
    },
  });
}
