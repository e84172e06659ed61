import type { Granted } from '../../protocol/dispatch/register.ts';
import { instantOf, secondsOf } from '../distribution/binding.ts';
import { flowKey } from '../../model/flow.ts';
import type { FlowRow } from '../../model/flow.ts';
import type { Refusal } from '../../sip/message/limits.ts';
import type { ContactAsked, RegisterAsked } from './register-request.ts';

/** A binding of this site as it stands: as it was recorded, and what has happened since without being recorded. */
export type Held = {
  readonly row: FlowRow;
  readonly cseq: number;
  /** Until when its device was told that it is bound; never later than the recorded expiry. */
  readonly promisedS: number;
};

/** How the flows of peers under the same key stand to a binding here. */
export type Rivals = {
  /** One that this binding does not know of: it may be the later one. */
  readonly unseen: boolean;
  /** When the last of those that this binding supersedes expires; 0 where it supersedes none. */
  readonly supersededUntilS: number;
};

export type Circumstances = {
  readonly nowS: number;
  /** Where the REGISTER came from, and the front's URI for that flow. */
  readonly source: string;
  readonly edge: string;
  /** What has been applied of each peer's registrations. */
  readonly seen: readonly string[];
  readonly rivalsOf: (row: FlowRow) => Rivals;
  /** While nothing can be recorded, what has been recorded is refreshed within its expiry. */
  readonly canRecord: boolean;
};

/** One row of the registration log; null where there is none. */
export type FlowChange = {
  readonly key: string;
  readonly before: FlowRow | null;
  readonly after: FlowRow | null;
};

/** A binding as the 200 lists it (RFC 3261 section 10.3 step 8). */
export type Listed = {
  readonly uri: string;
  readonly instance: string | null;
  readonly regId: number;
  readonly q: number;
  readonly expiresSeconds: number;
};

export type BindingsDecision =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | {
      readonly kind: 'accepted';
      /** To be recorded before the device is answered. */
      readonly changes: readonly FlowChange[];
      /** What to hold in memory once they are, by key. */
      readonly promises: ReadonlyMap<string, { readonly cseq: number; readonly promisedS: number }>;
      readonly listed: readonly Listed[];
    };

const outOfOrder: Refusal = { status: 500, reason: 'CSeq Out Of Order' };
const tooMany: Refusal = { status: 503, reason: 'Too Many Contacts', headers: [['Retry-After', '60']] };
const cannotRecord: Refusal = { status: 503, reason: 'Service Unavailable' };

/**
 * What becomes of the bindings of an address of record (RFC 3261 section 10.3 steps 6 to 8, RFC 5626 section 6). All of
 * the request takes effect or nothing.
 *
 * A binding is recorded for twice the time that is granted, so that the refreshes in that time record nothing unless
 * something else changes.
 */
export function decideBindings(
  asked: RegisterAsked,
  granted: Granted,
  held: readonly Held[],
  circumstances: Circumstances,
): BindingsDecision {
  const bindings = new Bindings(asked, granted, held, circumstances);
  const contacts = asked.contacts === 'all' ? undefined : asked.contacts;
  const refusal = contacts
    ? firstOf(contacts, (each, i) => bindings.bind(each, i === 0))
    : bindings.removeAll();
  return refusal ? { kind: 'refused', refusal } : bindings.decision();
}

type Entry = Held & { readonly changed: boolean; readonly before: FlowRow | null };

class Bindings {
  readonly #asked: RegisterAsked;
  readonly #granted: Granted;
  readonly #circumstances: Circumstances;
  readonly #entries = new Map<string, Entry>();
  readonly #removed = new Map<string, FlowChange>();

  constructor(asked: RegisterAsked, granted: Granted, held: readonly Held[], circumstances: Circumstances) {
    this.#asked = asked;
    this.#granted = granted;
    this.#circumstances = circumstances;
    for (const each of held) this.#entries.set(each.row.key, { ...each, changed: false, before: each.row });
  }

  /** Adds, refreshes or removes one binding; why not, if not. `isFirst`: the one the access device was recognised by. */
  bind(contact: ContactAsked, isFirst: boolean): Refusal | undefined {
    const key = flowKey(this.#granted.aor, this.#deviceOf(contact, isFirst), contact.regId);
    const entry = this.#entries.get(key);
    if (entry && this.#isOutOfOrder(entry)) return outOfOrder;
    const { min, max, default: usual } = this.#granted.expiresSeconds;
    const wanted = contact.expiresSeconds ?? usual;
    if (wanted === 0) {
      this.#remove(key);
      return undefined;
    }
    if (wanted < min) {
      return { status: 423, reason: 'Interval Too Brief', headers: [['Min-Expires', String(min)]] };
    }
    return this.#put(key, contact, Math.min(wanted, max), entry);
  }

  removeAll(): Refusal | undefined {
    for (const [key, entry] of this.#entries) {
      if (this.#isOutOfOrder(entry)) return outOfOrder;
      this.#remove(key);
    }
    return undefined;
  }

  decision(): BindingsDecision {
    const { canRecord, nowS } = this.#circumstances;
    const live = [...this.#entries].filter(([, { row }]) => !row.gone);
    const changes = live
      .filter(([, { changed }]) => changed)
      .map(([key, { row, before }]) => ({ key, before, after: row }));
    if (changes.length + this.#removed.size > 0 && !canRecord)
      return { kind: 'refused', refusal: cannotRecord };
    if (live.length > this.#granted.contactsMax && changes.some(({ before }) => !before)) {
      return { kind: 'refused', refusal: tooMany };
    }
    return {
      kind: 'accepted',
      changes: [...changes, ...this.#removed.values()],
      promises: new Map(live.map(([key, { cseq, promisedS }]) => [key, { cseq, promisedS }])),
      listed: live.map(([, { row, promisedS }]) => listedOf(row, promisedS - nowS)),
    };
  }

  #put(key: string, contact: ContactAsked, seconds: number, entry: Entry | undefined): Refusal | undefined {
    const { nowS } = this.#circumstances;
    const row = this.#rowOf(key, contact, nowS + 2 * seconds);
    const storedS = entry ? secondsOf(entry.row.expires_at) : 0;
    const { cseq } = this.#asked;
    const before = entry?.before ?? null;
    if (entry && this.#isRefresh(entry.row, row)) {
      const promisedS = this.#promisable(storedS, seconds);
      if (promisedS !== undefined) {
        this.#entries.set(key, { ...entry, cseq, promisedS });
        return undefined;
      }
    }
    this.#removed.delete(key);
    this.#entries.set(key, { row, cseq, promisedS: nowS + seconds, changed: true, before });
    return undefined;
  }

  /** Until when a binding recorded until `storedS` can be promised without recording it anew. */
  #promisable(storedS: number, seconds: number): number | undefined {
    const { nowS, canRecord } = this.#circumstances;
    if (storedS - nowS >= seconds) return nowS + seconds;
    const isLongEnough = storedS - nowS >= this.#granted.expiresSeconds.min;
    return !canRecord && isLongEnough ? storedS : undefined;
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry || entry.row.gone) return;
    const { before } = entry;
    this.#entries.delete(key);
    if (!before) return;
    const { nowS, rivalsOf } = this.#circumstances;
    this.#removed.set(key, { key, before, after: tombstoneOf(before, rivalsOf(before), nowS) });
  }

  /** The same Call-ID again needs a higher CSeq (section 10.3 step 7); those of other sites say nothing. */
  #isOutOfOrder({ row, cseq }: Entry): boolean {
    return !row.gone && row.call_id === this.#asked.callId && this.#asked.cseq <= cseq;
  }

  #deviceOf({ instance, bareUri }: ContactAsked, isFirst: boolean): string {
    if (instance !== null) return instance;
    const name = isFirst ? this.#granted.device : null;
    return name === null ? `contact:${bareUri}` : `device:${name.replaceAll(/\s/g, encodeURIComponent)}`;
  }

  #rowOf(key: string, { uri, regId, q }: ContactAsked, expiresS: number): FlowRow {
    const { aor, owner } = this.#granted;
    const { callId, cseq, path, userAgent } = this.#asked;
    const { nowS, source, edge, seen } = this.#circumstances;
    return {
      key,
      aor,
      device: key.slice(aor.length + 1, key.lastIndexOf(' ')),
      reg_id: regId,
      owner,
      contact: uri,
      path,
      edge,
      call_id: callId,
      cseq,
      q,
      user_agent: userAgent,
      source,
      registered_at: instantOf(nowS),
      expires_at: instantOf(expiresS),
      seen,
      gone: false,
    };
  }

  /** Nothing but times and CSeq differs, and no peer has recorded the device since. */
  #isRefresh(was: FlowRow, is: FlowRow): boolean {
    return (
      !was.gone &&
      was.contact === is.contact &&
      was.source === is.source &&
      was.call_id === is.call_id &&
      was.q === is.q &&
      was.owner === is.owner &&
      was.edge === is.edge &&
      was.user_agent === is.user_agent &&
      was.path.length === is.path.length &&
      was.path.every((uri, i) => uri === is.path[i]) &&
      !this.#circumstances.rivalsOf(was).unseen
    );
  }
}

/** What a removed binding leaves behind, so that one at a peer that it superseded does not come back. */
export function tombstoneOf(
  row: FlowRow,
  { unseen, supersededUntilS }: Rivals,
  nowS: number,
): FlowRow | null {
  if (unseen || row.gone || supersededUntilS <= nowS) return null;
  return { ...row, expires_at: instantOf(supersededUntilS), gone: true };
}

function listedOf({ contact, device, reg_id: regId, q }: FlowRow, expiresSeconds: number): Listed {
  const isInstance = !device.startsWith('device:') && !device.startsWith('contact:');
  return { uri: contact, instance: isInstance ? device : null, regId, q, expiresSeconds };
}

/** The first refusal that one of the contacts, in order, meets. */
function firstOf(
  contacts: readonly ContactAsked[],
  bind: (contact: ContactAsked, index: number) => Refusal | undefined,
): Refusal | undefined {
  for (const [i, contact] of contacts.entries()) {
    const refusal = bind(contact, i);
    if (refusal) return refusal;
  }
  return undefined;
}
