import type { RegisterDecision, RegisterFacts } from '../../protocol/dispatch/register.ts';
import type { Identity } from '../credentials/identify.ts';
import { AccessDevices } from './device.ts';
import type { RegisterLimits } from './limits.ts';

/**
 * May the sender register, and within which limits (RFC 3261 section 10.3, steps 3 to 5)? Only himself. His own access
 * devices are recognised before `shared` ones, which belong to no single address of record.
 */
export function decideRegister(
  { instance, contactHost }: RegisterFacts,
  identity: Identity,
  owner: string,
  limits: RegisterLimits,
  shared: AccessDevices,
): RegisterDecision {
  if (identity.kind !== 'accepted') return identity;
  const { row, devices } = identity.subscriber;
  return {
    kind: 'granted',
    aor: row.aor,
    owner,
    device:
      new AccessDevices(devices).recognise(instance, contactHost) ?? shared.recognise(instance, contactHost),
    ...limits,
  };
}
