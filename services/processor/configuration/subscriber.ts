import type { Sealer } from '../../platform/crypto/sealing.ts';
import { isDualhomeError } from '../../protocol/errors/index.ts';
import type { SubscriberRow } from '../calls/configuration.ts';
import type { Ha1 } from '../credentials/authenticator.ts';
import type { Device } from '../register/device.ts';

/** A subscriber as decisions know him. */
export type Subscriber = {
  /** As configured, without his secrets. */
  readonly row: SubscriberRow;
  /** `unreadable`: sealed with a key that is not held here. */
  readonly ha1: Ha1 | 'unreadable';
  readonly devices: readonly Device[];
};

/** Opens the secrets of a row; the api sealed them for this row and column. */
export function openSubscriber(row: SubscriberRow, devices: readonly Device[], sealer: Sealer): Subscriber {
  const open = (field: 'ha1_md5' | 'ha1_sha256'): string | null => {
    const sealed = row[field];
    return sealed === null ? null : sealer.open(sealed, `subscriber/${row.aor}/${field}`).reveal();
  };
  const ha1 = orUnreadable(() => ({ md5: open('ha1_md5'), sha256: open('ha1_sha256') }));
  return { row: { ...row, ha1_md5: null, ha1_sha256: null }, ha1, devices };
}

function orUnreadable(open: () => Ha1): Subscriber['ha1'] {
  try {
    return open();
  } catch (error) {
    if (isDualhomeError(error)) return 'unreadable';
    throw error;
  }
}
