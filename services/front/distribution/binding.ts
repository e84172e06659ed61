import { parseSeen } from '../../model/flow-preference.ts';
import type { Seen } from '../../model/flow-preference.ts';
import type { FlowRow } from '../../model/flow.ts';

/** Texts that many bindings share, each kept once and named by a number. */
export class Interned {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }
}

/**
 * A flow as it is held in memory: some 450 bytes, of which most are its texts in one string, unpacked when asked for.
 *
 * Invariant: `rowOf` gives the row it was made of, for rows whose instants are whole seconds.
 */
export class Binding {
  /** Number of the site that accepted it; 0 is this one. */
  readonly site: number;
  /** Of the event that left it so. */
  readonly seq: number;
  readonly packed: string;
  readonly owner: string;
  readonly regId: number;
  readonly q: number;
  readonly registeredS: number;
  readonly expiresS: number;
  readonly gone: boolean;
  readonly recordedCseq: number;
  /** The newest CSeq, recorded or not. */
  cseq: number;
  /** Until when the device was told that it is bound; of peers' the recorded expiry. */
  promisedS: number;
  /** The next of the same address of record. */
  next: Binding | undefined = undefined;

  constructor(site: number, seq: number, row: FlowRow, packed: string, owner: string) {
    this.site = site;
    this.seq = seq;
    this.packed = packed;
    this.owner = owner;
    this.regId = row.reg_id;
    this.q = row.q;
    this.registeredS = secondsOf(row.registered_at);
    this.expiresS = secondsOf(row.expires_at);
    this.gone = row.gone;
    this.recordedCseq = row.cseq;
    this.cseq = row.cseq;
    this.promisedS = this.expiresS;
  }
}

const fieldEnd = '\n';
const itemEnd = '\t';

/** Packs rows, and unpacks them. */
export class BindingCodec {
  readonly #userAgents = new Interned();
  /** `site incarnation` of positions seen. */
  readonly #histories = new Interned();
  readonly #owners = new Interned();

  encode(site: number, seq: number, row: FlowRow): Binding {
    const packed = [
      row.device,
      row.contact,
      row.call_id,
      row.source,
      row.edge,
      row.user_agent === null ? '' : String(this.#userAgents.numberOf(row.user_agent)),
      row.path.join(itemEnd),
      row.seen.map((position) => this.#shortSeen(position)).join(itemEnd),
    ].join(fieldEnd);
    const owner = this.#owners.text(this.#owners.numberOf(row.owner));
    return new Binding(site, seq, row, flat(packed), owner);
  }

  rowOf(aor: string, binding: Binding): FlowRow {
    const [
      device = '',
      contact = '',
      callId = '',
      source = '',
      edge = '',
      userAgent = '',
      path = '',
      seen = '',
    ] = binding.packed.split(fieldEnd);
    return {
      key: `${aor} ${device} ${binding.regId}`,
      aor,
      device,
      reg_id: binding.regId,
      owner: binding.owner,
      contact,
      path: path === '' ? [] : path.split(itemEnd),
      edge,
      call_id: callId,
      cseq: binding.recordedCseq,
      q: binding.q,
      user_agent: userAgent === '' ? null : this.#userAgents.text(Number(userAgent)),
      source,
      registered_at: instantOf(binding.registeredS),
      expires_at: instantOf(binding.expiresS),
      seen: this.#seen(seen),
      gone: binding.gone,
    };
  }

  /** How much of a site's log the binding was made in knowledge of. */
  seenOf(binding: Binding, site: string): Seen | undefined {
    const seen = binding.packed.slice(binding.packed.lastIndexOf(fieldEnd) + 1);
    return this.#seen(seen)
      .map(parseSeen)
      .find((each) => each.site === site);
  }

  #shortSeen(position: string): string {
    const at = position.lastIndexOf(' ');
    return `${this.#histories.numberOf(position.slice(0, at))} ${position.slice(at + 1)}`;
  }

  #seen(packed: string): string[] {
    if (packed === '') return [];
    return packed.split(itemEnd).map((short) => {
      const [history = '', seq = ''] = short.split(' ');
      return `${this.#histories.text(Number(history))} ${seq}`;
    });
  }
}

/** The device a binding is of, without unpacking the rest. */
export function deviceOf({ packed }: Binding): string {
  return packed.slice(0, packed.indexOf(fieldEnd));
}

/** Whether it is the binding of this key of its address of record. */
export function isOf(binding: Binding, device: string, regId: number): boolean {
  const { packed } = binding;
  return binding.regId === regId && packed.startsWith(device) && packed.charAt(device.length) === fieldEnd;
}

export const instantOf = (seconds: number): string => new Date(seconds * 1000).toISOString();
export const secondsOf = (instant: string): number => Math.floor(Date.parse(instant) / 1000);

/** A copy in one piece: a joined string keeps its parts alive, a sliced one what it was cut from. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
