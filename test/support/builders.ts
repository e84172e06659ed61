import { device } from '../../services/model/device.ts';
import { domain } from '../../services/model/domain.ts';
import type { Row } from '../../services/model/table.ts';
import { flow, flowKey } from '../../services/model/flow.ts';
import { number } from '../../services/model/number.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import { digestHa1 } from '../../services/sip/auth/digest.ts';
import { password } from './digest.ts';

/** A complete subscriber; `n` makes it one of its own. */
export const aSubscriber = (n = 1, fields: Partial<Row> = {}): Row =>
  subscriber.schema.parse({
    aor: `user${String(n).padStart(7, '0')}@c1.example`,
    home_site: 'c1',
    backup_site: 'c2',
    class_of_service: ['local', 'national'],
    area_code: '30',
    country_code: '49',
    time_zone: 'Europe/Berlin',
    ...fields,
  });

/** A number that leads to subscriber `n`. */
export const aNumber = (n = 1, fields: Partial<Row> = {}): Row =>
  number.schema.parse({
    number: `+4930${String(n).padStart(7, '0')}`,
    aor: `user${String(n).padStart(7, '0')}@c1.example`,
    ...fields,
  });

/** The flow of the one phone of subscriber `n`, accepted at c1. */
export const aFlow = (n = 1, fields: Partial<Row> = {}): Row => {
  const user = `user${String(n).padStart(7, '0')}`;
  const device = `<urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}>`;
  return flow.schema.parse({
    key: flowKey(`${user}@c1.example`, device, 0),
    aor: `${user}@c1.example`,
    device,
    reg_id: 0,
    owner: 'c1',
    contact: `sip:${user}@192.0.2.1:5060`,
    edge: 'sip:token@c1.example.net:5060;lr',
    call_id: `call-${n}`,
    cseq: 1,
    q: 1000,
    source: 'udp:192.0.2.1:5060',
    registered_at: '2026-11-25T08:00:00.000Z',
    expires_at: '2026-11-25T09:00:00.000Z',
    ...fields,
  });
};
/** A domain whose realm is its name. */
export const aDomain = (name = 'c1.example', fields: Partial<Row> = {}): Row =>
  domain.schema.parse({ name, realm: name, ...fields });

/** A subscriber who can register: `user@domain`, with everybody's password, in the realm of that name. */
export const aUser = (aor: string, fields: Partial<Row> = {}): Row => {
  const [user = '', realm = ''] = aor.split('@');
  return aSubscriber(1, { aor, ha1_md5: digestHa1('MD5', user, realm, password), ...fields });
};

/** An access device of this address of record. */
export const aDevice = (name: string, aor: string | null, fields: Partial<Row> = {}): Row =>
  device.schema.parse({ name, aor, home_site: 'c1', backup_site: 'c2', ...fields });
