import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { checkSite } from '../../services/site/check/check.ts';
import { initSite } from '../../services/site/init.ts';
import { takePortBlock } from '../../services/site/port-block.ts';
import { prepareSite } from '../../services/site/prepare.ts';
import { testDatabase } from '../support/postgres.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

test('databases and program files are prepared while the programs of the site listen', async () => {
  await using directory = await TemporaryDirectory.create();
  await using home = await testDatabase('empty');
  await using shared = await testDatabase('empty');
  await using ports = await takePortBlock();
  const host = '127.0.0.1';
  const { path, config } = await initSite(join(directory.path, 'site'), {
    site: `t${randomBytes(6).toString('hex')}`,
    publicHost: host,
    listenHost: host,
    firstPort: ports.first,
  });
  await appendFile(path, `\npostgres:\n  home: ${home.url}\n  shared: ${shared.url}\n`);
  await using api = createServer().listen(config.api.listen);
  await once(api, 'listening');

  expect((await checkSite(path)).map(({ key }) => key)).toEqual(['api.listen']);
  const log = createLogger({ program: 'test', level: 'silent' });
  const prepared = await prepareSite(path, log);
  expect(prepared.databases).toEqual(['home', 'shared']);
  expect(prepared.programConfigs.length).toBeGreaterThan(3);
  for (const file of prepared.programConfigs) expect(existsSync(file), file).toBe(true);
});
