import { describe, expect, it, test } from 'vitest';
import { decideBindings } from '../../../services/front/registrar/bindings.ts';
import type { BindingsDecision, Circumstances, Held } from '../../../services/front/registrar/bindings.ts';
import type { RegisterAsked } from '../../../services/front/registrar/register-request.ts';
import { parseRegister } from '../../../services/front/registrar/register-request.ts';
import type { Granted } from '../../../services/protocol/dispatch/register.ts';
import { aRequest } from '../../support/sip-messages.ts';

const nowS = 1_800_000_000;
const instant = (seconds: number): string => new Date((nowS + seconds) * 1000).toISOString();

const granted: Granted = {
  kind: 'granted',
  aor: 'alice@c1.example',
  owner: 'c1',
  device: null,
  expiresSeconds: { min: 60, max: 3600, default: 600 },
  contactsMax: 2,
};

const here: Circumstances = {
  nowS,
  source: 'udp:192.0.2.1:5060',
  edge: 'sip:token@192.0.2.10:5060;transport=udp;lr',
  seen: [],
  rivalsOf: () => ({ unseen: false, supersededUntilS: 0 }),
  canRecord: true,
};

type Fields = Readonly<Record<string, string>>;

function asked(fields: Fields, cseq = 2): RegisterAsked {
  const request = aRequest('REGISTER', {
    uri: 'sip:c1.example',
    fields: { To: '<sip:alice@c1.example>', 'Call-ID': 'one', CSeq: `${cseq} REGISTER`, ...fields },
  });
  const parsed = parseRegister(request);
  if ('refusal' in parsed) throw new Error(parsed.refusal.reason);
  return parsed;
}

const decide = (
  fields: Fields,
  { held = [], cseq = 2, ...rest }: Partial<Circumstances> & { held?: readonly Held[]; cseq?: number } = {},
): BindingsDecision => decideBindings(asked(fields, cseq), granted, held, { ...here, ...rest });

/** What is held after the request was accepted. */
function after(decision: BindingsDecision): Held[] {
  if (decision.kind !== 'accepted') throw new Error(decision.refusal.reason);
  return decision.changes.flatMap(({ key, after: row }) => {
    const promise = decision.promises.get(key);
    return row ? [{ row, cseq: promise?.cseq ?? row.cseq, promisedS: promise?.promisedS ?? 0 }] : [];
  });
}

const accepted = (decision: BindingsDecision) => {
  if (decision.kind !== 'accepted') throw new Error(decision.refusal.reason);
  return decision;
};

const phone = '<sip:alice@192.0.2.1:5060>';
const registered = (): Held[] => after(decide({ Contact: phone, Expires: '600' }, { cseq: 1 }));

describe('what is granted', () => {
  test.each([
    [{ Contact: phone }, 600],
    [{ Contact: phone, Expires: '120' }, 120],
    [{ Contact: `${phone};expires=90`, Expires: '120' }, 90],
    [{ Contact: phone, Expires: '7200' }, 3600],
    [{ Contact: phone, Expires: 'soon' }, 600],
  ])('%j is granted %i s, and recorded for twice as long', (fields, seconds) => {
    const { listed, changes } = accepted(decide(fields));
    expect(listed.map(({ expiresSeconds }) => expiresSeconds)).toEqual([seconds]);
    expect(changes[0]?.after?.expires_at).toBe(instant(2 * seconds));
  });

  it('is refused below the minimum, which is named', () => {
    expect(decide({ Contact: phone, Expires: '59' })).toMatchObject({
      kind: 'refused',
      refusal: { status: 423, headers: [['Min-Expires', '60']] },
    });
  });

  it('ends at the number of contacts, of which a refresh is none more', () => {
    const two = after(decide({ Contact: '<sip:a@192.0.2.1>, <sip:b@192.0.2.2>' }));
    expect(two).toHaveLength(2);
    expect(decide({ Contact: '<sip:c@192.0.2.3>' }, { held: two })).toMatchObject({
      refusal: { status: 503 },
    });
    const refreshed = accepted(decide({ Contact: '<sip:a@192.0.2.1>' }, { held: two, cseq: 3 }));
    expect([refreshed.changes.length, refreshed.listed.length]).toEqual([0, 2]);
  });

  it('is everything or nothing', () => {
    const contact = `${phone}, <sip:b@192.0.2.2>;expires=5`;
    expect(decide({ Contact: contact })).toMatchObject({ kind: 'refused', refusal: { status: 423 } });
  });
});

describe('a device is known by', () => {
  test.each([
    [`${phone};+sip.instance="<urn:uuid:1>";reg-id=2`, 'urn:uuid:1 2'],
    [`${phone};+sip.instance="<urn:uuid:1>"`, 'urn:uuid:1 0'],
    [`${phone};reg-id=2`, 'contact:sip:alice@192.0.2.1 0'],
    ['<sip:alice@192.0.2.1:1234;transport=tcp;ob>', 'contact:sip:alice@192.0.2.1 0'],
  ])('%s as %s', (contact, device) => {
    expect(after(decide({ Contact: contact }))[0]?.row.key).toBe(`alice@c1.example ${device}`);
  });

  it('the access device it was recognised as, where it has no instance', () => {
    const decision = decideBindings(asked({ Contact: phone }), { ...granted, device: 'Desk 7' }, [], here);
    expect(after(decision)[0]?.row.device).toBe('device:Desk%207');
  });
});

describe('a refresh', () => {
  const refresh = (rest: Parameters<typeof decide>[1] = {}, fields: Fields = {}) =>
    decide({ Contact: phone, Expires: '600', ...fields }, { held: registered(), ...rest });

  it('records nothing within the time that is recorded, and promises no more than that', () => {
    for (const later of [0, 300, 600]) {
      const { changes, listed } = accepted(refresh({ nowS: nowS + later }));
      expect([changes.length, listed[0]?.expiresSeconds]).toEqual([0, 600]);
    }
    const { changes } = accepted(refresh({ nowS: nowS + 601 }));
    expect(changes[0]?.after?.expires_at).toBe(instant(601 + 1200));
  });

  test.each<[string, Parameters<typeof decide>[1], Fields]>([
    ['another address', { source: 'udp:192.0.2.1:5062' }, {}],
    ['another way back', { edge: 'sip:other@192.0.2.10' }, {}],
    ['another Call-ID', {}, { 'Call-ID': 'two' }],
    ['a Path', {}, { Path: '<sip:edge.example;lr>' }],
    ['another contact', {}, { Contact: '<sip:alice@192.0.2.1:5064>' }],
    ['another preference', {}, { Contact: `${phone};q=0.5` }],
    [
      'a flow at a peer that it does not know of',
      { rivalsOf: () => ({ unseen: true, supersededUntilS: 0 }) },
      {},
    ],
  ])('records %s', (_, rest, fields) => {
    const { changes } = accepted(refresh(rest, fields));
    expect(changes).toHaveLength(1);
    expect(changes[0]?.before?.registered_at).toBe(instant(0));
  });

  test.each([1, 0])('with the CSeq %i again is out of order, under another Call-ID it is not', (cseq) => {
    expect(refresh({ cseq })).toMatchObject({ kind: 'refused', refusal: { status: 500 } });
    expect(refresh({ cseq }, { 'Call-ID': 'two' }).kind).toBe('accepted');
  });

  it('while nothing can be recorded is promised what is left, as long as that is worth anything', () => {
    const late = accepted(refresh({ nowS: nowS + 900, canRecord: false }));
    expect([late.changes.length, late.listed[0]?.expiresSeconds]).toEqual([0, 300]);
    expect(refresh({ nowS: nowS + 1150, canRecord: false })).toMatchObject({ refusal: { status: 503 } });
    expect(refresh({ canRecord: false }, { 'Call-ID': 'two' })).toMatchObject({ refusal: { status: 503 } });
  });
});

describe('the end of a binding', () => {
  test.each<[string, Fields]>([
    ['by its contact', { Contact: phone, Expires: '0' }],
    ['by its parameter', { Contact: `${phone};expires=0` }],
    ['with all others', { Contact: '*', Expires: '0' }],
  ])('%s leaves nothing', (_, fields) => {
    const { changes, listed } = accepted(decide(fields, { held: registered() }));
    expect(changes.map(({ after: row }) => row)).toEqual([null]);
    expect(listed).toEqual([]);
  });

  it('that is not there is no change', () => {
    expect(accepted(decide({ Contact: phone, Expires: '0' }))).toMatchObject({ changes: [], listed: [] });
  });

  it('that superseded one at a peer is remembered as long as that one is', () => {
    const rivalsOf = () => ({ unseen: false, supersededUntilS: nowS + 50 });
    const gone = accepted(decide({ Contact: phone, Expires: '0' }, { held: registered(), rivalsOf }));
    expect(gone.changes[0]?.after).toMatchObject({ gone: true, expires_at: instant(50) });
    expect(gone.listed).toEqual([]);
    const back = decide({ Contact: phone }, { held: after(gone), rivalsOf, cseq: 1 });
    expect(accepted(back).changes[0]).toMatchObject({ before: { gone: true }, after: { gone: false } });
  });

  it('says nothing about a flow at a peer that may be the later one', () => {
    const rivalsOf = () => ({ unseen: true, supersededUntilS: nowS + 50 });
    const { changes } = accepted(decide({ Contact: phone, Expires: '0' }, { held: registered(), rivalsOf }));
    expect(changes[0]?.after).toBeNull();
  });
});

describe('a REGISTER that asks for what cannot be', () => {
  test.each<[Fields, number]>([
    [{ Contact: '*', Expires: '60' }, 400],
    [{ Contact: '<tel:+4930>' }, 400],
    [{ Contact: `<sip:a@b>;+sip.instance="<u:1>";reg-id=1, <sip:c@d>` }, 400],
    [{ To: '<tel:+4930>' }, 400],
    [{ To: '<sip:c1.example>' }, 400],
    [{ Require: 'teleport' }, 420],
    [{ Path: '<sip:a@b' }, 400],
    [
      {
        Contact: '<sip:a@b>;+sip.instance="<u:1>";reg-id=1',
        Via: 'SIP/2.0/UDP edge;branch=z9hG4bKa, SIP/2.0/UDP phone;branch=z9hG4bKb',
        Supported: 'outbound',
      },
      439,
    ],
    [{ Contact: `<sip:${'a'.repeat(600)}@b>` }, 513],
  ])('%j gets %i', (fields, status) => {
    const request = aRequest('REGISTER', {
      uri: 'sip:c1.example',
      fields: { To: '<sip:alice@c1.example>', ...fields },
    });
    expect(parseRegister(request)).toMatchObject({ refusal: { status } });
  });

  it('from behind an edge that keeps the flow has its reg-id', () => {
    const { contacts } = asked({
      Contact: '<sip:a@b>;+sip.instance="<u:1>";reg-id=1',
      Via: 'SIP/2.0/UDP edge;branch=z9hG4bKa, SIP/2.0/UDP phone;branch=z9hG4bKb',
      Path: '<sip:edge;lr;ob>',
    });
    expect(contacts).toMatchObject([{ regId: 1 }]);
  });
});
