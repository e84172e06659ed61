import { includes } from '../../model/flow-preference.ts';
import type { Begun } from '../../model/flow-preference.ts';
import type { FlowRow } from '../../model/flow.ts';
import type { Held, Rivals } from '../registrar/bindings.ts';
import { BindingCodec, deviceOf, isOf } from './binding.ts';
import type { Binding } from './binding.ts';
import { KnownAddresses } from './known-addresses.ts';

/** A flow with the site that accepted it and where that site recorded it. */
export type LocatedFlow = { readonly site: string; readonly seq: number; readonly row: FlowRow };

/**
 * Who is registered where: the union of this site's flows and the peers', in memory.
 *
 * Invariants: it holds of each site what that site's log says, as far as it was read; of one key the version with the
 * highest seq. Nothing of a peer's is dropped by time: only the site that accepted a flow expires it.
 */
export class Distribution {
  /** This site first. */
  readonly #sites: readonly string[];
  readonly #codec = new BindingCodec();
  readonly #aors = new Map<string, Binding>();
  readonly #counts: number[];
  readonly #begun = new Map<string, readonly Begun[]>();
  /** Where devices are, whichever site they are registered at: after a failover they come from there. */
  readonly addresses = new KnownAddresses();
  #watcher: ((site: string, row: FlowRow) => void) | undefined;

  constructor(site: string, peers: readonly string[]) {
    this.#sites = [site, ...peers];
    this.#counts = this.#sites.map(() => 0);
  }

  /** Addresses of record with a flow somewhere. */
  get size(): number {
    return this.#aors.size;
  }

  /** Flows that a site has accepted. */
  count(site: string): number {
    return this.#counts[this.#sites.indexOf(site)] ?? 0;
  }

  /** `watcher` is told of every flow that is taken from now on. */
  watch(watcher: (site: string, row: FlowRow) => void): void {
    this.#watcher = watcher;
  }

  /** Where the incarnations of a site's registration log began; none where it is not read yet. */
  begunOf(site: string): readonly Begun[] {
    return this.#begun.get(site) ?? [];
  }

  /** Takes note of the incarnations of the history that a site's flows are of. */
  setBegun(site: string, begun: readonly Begun[]): void {
    this.#begun.set(site, begun);
  }

  /** Takes a row as its event left it; an older one than is held is passed over. */
  put(site: string, row: FlowRow, seq: number): void {
    if (this.#take(site, row, seq)) this.#watcher?.(site, row);
  }

  /** Takes note that the event `seq` removed a flow. */
  remove(site: string, key: string, seq: number): void {
    const { aor, device, regId } = partsOf(key);
    const held = find(this.#aors.get(aor), this.#sites.indexOf(site), device, regId);
    if (held && held.seq <= seq) this.#unlink(aor, held);
  }

  /** Forgets what a site has accepted, to be read anew. */
  clear(site: string): void {
    const number = this.#sites.indexOf(site);
    for (const [aor, first] of this.#aors) {
      for (const binding of each(first)) if (binding.site === number) this.#unlink(aor, binding);
    }
  }

  /** Every flow of an address of record. */
  flowsOf(aor: string): LocatedFlow[] {
    return [...each(this.#aors.get(aor))].map((binding) => ({
      site: this.#sites[binding.site] ?? '',
      seq: binding.seq,
      row: this.#codec.rowOf(aor, binding),
    }));
  }

  /** This site's bindings of an address of record, removed ones that still stand for something included. */
  heldOf(aor: string): Held[] {
    const held: Held[] = [];
    for (const binding of each(this.#aors.get(aor))) {
      if (binding.site !== 0) continue;
      held.push({ row: this.#codec.rowOf(aor, binding), cseq: binding.cseq, promisedS: binding.promisedS });
    }
    return held;
  }

  /** The site whose subscriber it is, as recorded with a flow. */
  ownerOf(aor: string): string | undefined {
    return this.#aors.get(aor)?.owner;
  }

  /** What was promised to a device without being recorded. */
  promise(key: string, { cseq, promisedS }: { readonly cseq: number; readonly promisedS: number }): void {
    const { aor, device, regId } = partsOf(key);
    const held = find(this.#aors.get(aor), 0, device, regId);
    if (!held) return;
    held.cseq = cseq;
    held.promisedS = promisedS;
  }

  /** How the peers' flows under the key of a binding of this site stand to it. */
  rivalsOf({ aor, device, reg_id: regId }: FlowRow): Rivals {
    const own = find(this.#aors.get(aor), 0, device, regId);
    let unseen = false;
    let supersededUntilS = 0;
    for (const binding of each(this.#aors.get(aor))) {
      if (binding.site === 0 || !isOf(binding, device, regId)) continue;
      const site = this.#sites[binding.site] ?? '';
      const seen = own && this.#codec.seenOf(own, site);
      if (!seen || !includes(seen, binding.seq, this.begunOf(site))) unseen = true;
      else supersededUntilS = Math.max(supersededUntilS, binding.expiresS);
    }
    return { unseen, supersededUntilS };
  }

  /** At most `max` of this site's flows whose devices were not promised to be bound any longer. */
  expired(nowS: number, max: number): { readonly aor: string; readonly key: string }[] {
    const due: { readonly aor: string; readonly key: string }[] = [];
    for (const [aor, first] of this.#aors) {
      for (let binding: Binding | undefined = first; binding; binding = binding.next) {
        if (binding.site !== 0 || binding.promisedS > nowS) continue;
        due.push({ aor, key: `${aor} ${deviceOf(binding)} ${binding.regId}` });
        if (due.length >= max) return due;
      }
    }
    return due;
  }

  #take(site: string, row: FlowRow, seq: number): boolean {
    const number = this.#sites.indexOf(site);
    const binding = this.#codec.encode(number, seq, row);
    const first = this.#aors.get(row.aor);
    if (!first) {
      this.#aors.set(ownCopy(row.aor), binding);
      this.#count(number, 1, binding);
      return true;
    }
    const held = find(first, number, row.device, row.reg_id);
    if (held && held.seq > seq) return false;
    if (held) this.#unlink(row.aor, held);
    binding.next = this.#aors.get(row.aor);
    this.#aors.set(row.aor, binding);
    this.#count(number, 1, binding);
    return true;
  }

  #unlink(aor: string, binding: Binding): void {
    const first = this.#aors.get(aor);
    if (first === binding) {
      if (binding.next) this.#aors.set(aor, binding.next);
      else this.#aors.delete(aor);
    } else {
      for (const before of each(first)) if (before.next === binding) before.next = binding.next;
    }
    this.#count(binding.site, -1, binding);
  }

  #count(site: number, by: 1 | -1, binding: Binding): void {
    this.#counts[site] = (this.#counts[site] ?? 0) + by;
    this.addresses.count(sourceAddress(binding), by);
  }
}

function* each(first: Binding | undefined): Generator<Binding> {
  for (let binding = first; binding; binding = binding.next) yield binding;
}

function find(first: Binding | undefined, site: number, device: string, regId: number): Binding | undefined {
  for (let binding = first; binding; binding = binding.next) {
    if (binding.site === site && isOf(binding, device, regId)) return binding;
  }
  return undefined;
}

function partsOf(key: string): { readonly aor: string; readonly device: string; readonly regId: number } {
  const [aor = '', device = '', regId = ''] = key.split(' ');
  return { aor, device, regId: Number(regId) };
}

/** `udp:192.0.2.1:5060` -> `192.0.2.1`. */
function sourceAddress({ packed }: Binding): string {
  const source = packed.split('\n', 4)[3] ?? '';
  return source.slice(source.indexOf(':') + 1, source.lastIndexOf(':')).replaceAll(/[[\]]/g, '');
}

function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
