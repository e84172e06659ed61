import { describe, expect, it } from 'vitest';
import { defaultBehaviour, Population } from '../../services/simulator/population.ts';
import type { PopulationOptions } from '../../services/simulator/population.ts';
import { ScriptedRegistrar } from '../support/scripted-registrar.ts';

const limit = (): AbortSignal => AbortSignal.timeout(20_000);

const accounts = Array.from({ length: 50 }, (_, i) => {
  const user = String(i + 1).padStart(4, '0');
  return { user, domain: 'c1.example', password: `secret-${user}` };
});

function start(
  primary: ScriptedRegistrar,
  backup: ScriptedRegistrar,
  behaviour: Partial<PopulationOptions['behaviour']> = {},
): Promise<Population> {
  return Population.start({
    accounts,
    sites: { primary: primary.endpoint, backup: backup.endpoint },
    behaviour: { ...defaultBehaviour, probeIntervalMs: 100, retryMs: 100, ...behaviour },
    startsPerSecond: 10_000,
    answerMsMax: 200,
    address: '127.0.0.1',
  });
}

describe('simulated devices', () => {
  it('register at their primary with digest, and move to the backup when it is silent', async () => {
    await using primary = await ScriptedRegistrar.start('c1.example');
    await using backup = await ScriptedRegistrar.start('c1.example');
    await using population = await start(primary, backup);
    await population.until(({ atPrimary }) => atPrimary === 50, limit());
    expect(primary.registered.size).toBe(50);
    expect(backup.seen.size).toBe(0);

    primary.mode = 'dead';
    const { moves, nowhere } = await population.until(({ atBackup }) => atBackup === 50, limit());
    expect(moves).toMatchObject({ count: 50, toBackup: 50, toPrimary: 0 });
    expect(moves.p50Ms).toBeGreaterThan(100);
    expect(nowhere).toBe(0);
    expect(backup.registered.size).toBe(50);
  });

  it('move when the site says that it cannot serve, and do not return by themselves', async () => {
    await using primary = await ScriptedRegistrar.start('c1.example');
    await using backup = await ScriptedRegistrar.start('c1.example');
    await using population = await start(primary, backup);
    await population.until(({ atPrimary }) => atPrimary === 50, limit());
    primary.mode = 503;
    await population.until(({ atBackup }) => atBackup === 50, limit());
    primary.mode = 'serving';
    const registersBefore = primary.seen.get('REGISTER');
    const probes = backup.seen.get('OPTIONS') ?? 0;
    await expect.poll(() => backup.seen.get('OPTIONS') ?? 0).toBeGreaterThan(probes + 200);
    expect(primary.seen.get('REGISTER')).toBe(registersBefore);

    expect(await population.go('primary', limit())).toMatchObject({ atPrimary: 50 });
  });

  it('return by themselves where they are set to', async () => {
    await using primary = await ScriptedRegistrar.start('c1.example');
    await using backup = await ScriptedRegistrar.start('c1.example');
    await using population = await start(primary, backup, { returns: true });
    await population.until(({ atPrimary }) => atPrimary === 50, limit());
    primary.mode = 'dead';
    await population.until(({ atBackup }) => atBackup === 50, limit());
    primary.mode = 'serving';
    const { moves } = await population.until(({ atPrimary }) => atPrimary === 50, limit());
    expect(moves).toMatchObject({ toBackup: 50, toPrimary: 50 });
  });

  it('refresh before their registration ends, and end it when told', async () => {
    await using primary = await ScriptedRegistrar.start('c1.example');
    await using backup = await ScriptedRegistrar.start('c1.example');
    primary.expiresSecondsMax = 1;
    await using population = await start(primary, backup);
    const { refreshes } = await population.until((tally) => tally.refreshes >= 50, limit());
    expect(refreshes).toBeGreaterThanOrEqual(50);
    await population.unregister(limit());
    expect(primary.registered.size).toBe(0);
  });

  it('keep trying both sites while neither takes them, and say what they were told', async () => {
    await using primary = await ScriptedRegistrar.start('c1.example');
    await using backup = await ScriptedRegistrar.start('c1.example');
    primary.mode = 503;
    backup.mode = 503;
    await using population = await start(primary, backup);
    const tally = await population.until(({ refused }) => (refused['503'] ?? 0) >= 200, limit());
    expect(tally.nowhere).toBe(50);
    backup.mode = 'serving';
    await population.until(({ atBackup }) => atBackup === 50, limit());
  });
});
