import type { Cause } from '../../log/open-log.ts';
import type { FlowRow } from '../../model/flow.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';
import { ownSchema } from '../../protocol/names.ts';
import type { Position } from '../../protocol/position.ts';
import { readBegun, readFlows } from '../store/flows.ts';
import type { RecordedFlow } from '../store/flows.ts';
import type { Distribution } from './distribution.ts';
import type { RegistrationLog } from './registration-log.ts';

export type OwnFlowsOptions = {
  readonly site: string;
  readonly shared: Queryable;
  readonly distribution: Distribution;
  readonly registrations: Pick<RegistrationLog, 'check' | 'beginIncarnation'>;
};

/** What this site has recorded, as the distribution has it. */
export class OwnFlows {
  readonly #options: OwnFlowsOptions;

  constructor(options: OwnFlowsOptions) {
    this.#options = options;
  }

  /** Looks whether the log may be written, and of which history it is. @throws POSTGRES_* */
  async check(): Promise<void> {
    await this.#options.registrations.check();
    await this.#readBegun();
  }

  /** Takes what is recorded for what is known. @throws POSTGRES_* */
  async load(): Promise<void> {
    const { site, shared, distribution } = this.#options;
    if (distribution.count(site) > 0) return await this.#loadAnew();
    for await (const page of readFlows(shared, ownSchema)) {
      for (const row of page) this.#put(row, livesByConnection(row));
    }
  }

  /**
   * Accepts the log as it is recorded, flows and all, and goes on in a new incarnation. What was in memory beyond it is
   * given up: it was answered, but is in no history any longer, and its devices register again.
   *
   * @throws LOG_FENCED, POSTGRES_*
   */
  async beginIncarnation(cause: Cause): Promise<Position> {
    const head = await this.#options.registrations.beginIncarnation(cause, () => this.load());
    await this.#readBegun();
    return head;
  }

  /** What is known is used until all of what replaces it is there. */
  async #loadAnew(): Promise<void> {
    const { site, shared, distribution } = this.#options;
    const all = (await Array.fromAsync(readFlows(shared, ownSchema))).flat();
    const isHeld = ({ aor, edge }: FlowRow): boolean =>
      distribution.heldOf(aor).some(({ row }) => row.edge === edge);
    const isLost = all.map((row) => livesByConnection(row) && !isHeld(row));
    distribution.clear(site);
    for (const [i, row] of all.entries()) this.#put(row, isLost[i] ?? false);
  }

  /** One whose connection is lost is over; its device, which notices it too, comes back by itself. */
  #put(row: RecordedFlow, isLost: boolean): void {
    const { site, distribution } = this.#options;
    distribution.put(site, row, row.seq);
    if (isLost) distribution.promise(row.key, { cseq: row.cseq, promisedS: 0 });
  }

  async #readBegun(): Promise<void> {
    const { site, shared, distribution } = this.#options;
    distribution.setBegun(site, await readBegun(shared, ownSchema));
  }
}

const livesByConnection = (row: FlowRow): boolean =>
  row.reg_id > 0 && !row.gone && !row.source.startsWith('udp:');
