import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { domain } from '../model/domain.ts';
import type { Row } from '../model/table.ts';
import type { HttpClient } from '../platform/http/client.ts';
import { Secret } from '../platform/logging/secret.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import { configRowSchema } from '../protocol/rest/config.ts';

/**
 * The fields that stand for a password (RFC 7616 section 3.4.2), made with the realm of the subscriber's domain. The
 * password itself goes nowhere.
 *
 * @throws CLI_USAGE where no password is given; what the api says where the domain is not configured
 */
export async function passwordFields(aor: string, api: HttpClient): Promise<Row> {
  const [user = '', name = ''] = aor.split('@');
  const path = `/v1/config/${domain.name}/${encodeURIComponent(name)}`;
  const { row } = await api.request('GET', path, { answer: configRowSchema });
  const password = await readPassword();
  const text = `${user}:${String(row['realm'])}:${password.reveal()}`;
  return { ha1_md5: hash('md5', text, 'hex'), ha1_sha256: hash('sha256', text, 'hex') };
}

/** Typed at the terminal without being shown, or the first line of what is piped in. */
async function readPassword(): Promise<Secret> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write('Password: ');
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: unseen, terminal: stdin.isTTY });
  const ended = once(lines, 'close').then(() => ['']);
  const [password = ''] = (await Promise.race([once(lines, 'line'), ended])) as string[];
  lines.close();
  if (stdin.isTTY) stderr.write('\n');
  if (password === '') throw new DualhomeError('CLI_USAGE', { detail: 'No password was given.' });
  return new Secret(password);
}
