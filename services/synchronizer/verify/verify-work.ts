import { z } from 'zod';
import { isDualhomeError } from '../../protocol/errors/index.ts';
import { isWhole } from '../../protocol/scope.ts';
import type { Position } from '../../protocol/position.ts';
import type { Side } from '../../log/compare.ts';
import { compareSides, sideOf } from '../../log/compare.ts';
import { readHead } from '../../log/head.ts';
import type { Session } from '../../platform/postgres/session.ts';
import type { JobWork } from '../jobs/runner.ts';
import type { PeerLink, SendLane, SynchronizerContext } from '../ports.ts';
import { copySubject } from '../copy.ts';
import { sendingOf } from '../peer-logs.ts';
import { partId } from '../jobs/remote.ts';
import { beginSnapshot, reportComparison } from './held-copy.ts';
import { digestResultSchema, rowsResultSchema } from './requests.ts';

const differencesMax = 100;
const marksMax = 20;
/** A digest reads a whole table, and the peer may have to apply what is under way first. */
const timeoutMs = 5 * 60_000;

/**
 * Compares the peer's copy with home at one seq while both go on working: hold the sending, read home's
 * head in a snapshot, ask the peer to open its own when it has applied exactly that, send on; then
 * compare the digests of buckets, and the rows of those that differ.
 */
export function verifyWork(context: SynchronizerContext): JobWork {
  return async (job, { signal, phase, count }) => {
    const { link, send, own } = sendingOf(context, job.peer, job.log);
    const id = partId(job.id, `verify/${job.attempts}`);
    phase('agreeing on a seq');
    const { session, head } = await agree(id, send, link, () => own.database.session(), signal);
    await using ours = session;
    try {
      phase('comparing');
      const tables = own.definition.tablesOf(job.scope);
      const theirs = counting(remoteSide(id, link, signal), (rowsDone) =>
        count({ rowsDone, rowsTotal: null, bytesDone: 0, bytesTotal: null }),
      );
      const range = job.scope.keyRange;
      const comparison = await compareSides({
        ours: sideOf(ours),
        theirs,
        tables,
        range,
        differencesMax,
        signal,
      });
      const proof = isWhole(job.scope) ? comparison : null;
      await link.request('verify.close', { id, comparison: proof }, z.unknown(), { signal });
      if (proof)
        await reportComparison(context.alarms, copySubject(job.peer, own.definition), proof, head.seq);
      return { seq: head.seq, ...comparison };
    } catch (error) {
      void link.request('verify.close', { id, comparison: null }, z.unknown()).catch(() => undefined);
      throw error;
    }
  };
}

type Agreed = { readonly session: Session; readonly head: Position };

async function agree(
  id: string,
  send: SendLane,
  link: PeerLink,
  open: () => Promise<Session>,
  signal: AbortSignal,
): Promise<Agreed> {
  for (let marks = 1; ; marks += 1) {
    await link.whenUp(signal);
    const { agreed, opened } = await send.hold(async () => {
      const session = await beginSnapshot(await open());
      const head = await readHead(session);
      const at = { incarnation: head.incarnation, seq: head.seq, hash: head.hash.toString('hex') };
      const params = { id, log: send.log, ...at };
      return {
        agreed: { session, head },
        opened: link.request('verify.open', params, z.unknown(), { signal, timeoutMs }),
      };
    });
    try {
      await opened;
      return agreed;
    } catch (error) {
      await agreed.session[Symbol.asyncDispose]();
      if (!isDualhomeError(error, 'LINK_MARK_PASSED') || marks === marksMax) throw error;
    }
  }
}

function remoteSide(id: string, link: PeerLink, signal: AbortSignal): Side {
  const options = { signal, timeoutMs };
  return {
    digest: (table, range) =>
      link.request('verify.digest', { id, table: table.name, range }, digestResultSchema, options),
    rows: (table, { buckets, range, after, rowsMax }) =>
      link.request(
        'verify.rows',
        { id, table: table.name, buckets: [...buckets], range, after, rowsMax },
        rowsResultSchema,
        options,
      ),
  };
}

/** Tells how many rows have been compared so far. */
function counting(side: Side, tell: (rows: number) => void): Side {
  let rows = 0;
  return {
    ...side,
    digest: async (table, range) => {
      const digest = await side.digest(table, range);
      tell((rows += digest.rows));
      return digest;
    },
  };
}
