import { z } from 'zod';
import { readJsonFile } from '../../../services/platform/files/json.ts';
import { frontConfigSchema } from '../../../services/protocol/program-config.ts';
import type { TestSite } from '../../support/test-site.ts';

/** Waits until the site's front has forgotten every transaction: over UDP 32 s after the last (RFC 3261, timer J). */
export async function untilNoTransactions(site: TestSite): Promise<void> {
  const config = await readJsonFile(site.layout.programConfig('front'), frontConfigSchema);
  const { host, port } = z.object({ host: z.string(), port: z.int() }).parse(config?.diagnostics);
  await site.waitFor('its transactions to end', async () => {
    const metrics = await (await fetch(`http://${host}:${port}/metrics`)).text();
    return /^dualhome_front_transactions(\{[^}]*\})? 0$/m.test(metrics);
  });
}
