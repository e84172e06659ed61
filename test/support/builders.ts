import type { Row } from '../../services/model/table.ts';
import { number } from '../../services/model/number.ts';
import { subscriber } from '../../services/model/subscriber.ts';

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
