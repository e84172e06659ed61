import type { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../services/platform/logging/secret.ts';
import { ChunkQueue } from '../../../services/synchronizer/transfers/chunk-queue.ts';
import { TransferLogins } from '../../../services/synchronizer/transfers/logins.ts';
import type { TransferLogin } from '../../../services/synchronizer/transfers/logins.ts';
import { failureOf } from '../../../services/synchronizer/transfers/requests.ts';

const chunk = (index: number) => ({
  path: `/spool/domains.${index}`,
  digest: { table: 'domains', index, rows: 1, rawBytes: 1, storedBytes: 1, sha256: 'ab'.repeat(32) },
});

describe('the chunks of a snapshot', () => {
  it('are read in the order of their arrival, each once, also while they arrive, until the end', async () => {
    const queue = new ChunkQueue();
    const read: number[] = [];
    const reading = (async () => {
      for await (const { digest } of queue) read.push(digest.index);
    })();
    for (const index of [1, 0, 1, 2, 0]) {
      await Promise.resolve();
      queue.push(chunk(index));
    }
    queue.end();
    await reading;
    expect(read).toEqual([1, 0, 2]);
  });

  it('that arrived before the end are all read after it', async () => {
    const queue = new ChunkQueue();
    for (const index of [0, 1]) queue.push(chunk(index));
    queue.end();
    expect((await Array.fromAsync(queue)).map(({ digest }) => digest.index)).toEqual([0, 1]);
  });
});

describe('a login of a transfer', () => {
  const certificateOf = (peer: string) => ({ peer }) as unknown as X509Certificate;
  const revoked: string[] = [];
  const logins = new TransferLogins(
    (certificate) => (certificate as unknown as { peer: string }).peer,
    (user) => revoked.push(user),
  );
  const tryWith = (
    { user, password }: TransferLogin,
    { password: given = password, peer = 'c1' }: { password?: Secret; peer?: string | undefined } = {},
  ) =>
    logins.authorize({
      user,
      password: given,
      certificate: certificateOf(peer),
      remoteAddress: '127.0.0.1',
    });

  it('opens the directory of that transfer and no other', async () => {
    const one = logins.issue('c1', '/spool/one');
    const other = logins.issue('c1', '/spool/other');
    expect(await tryWith(one)).toEqual({ root: '/spool/one', write: true });
    expect(await tryWith(one, { password: other.password })).toBeUndefined();
    expect(await tryWith(other)).toEqual({ root: '/spool/other', write: true });
  });

  it('is refused without its password, under another name, and with the certificate of another peer', async () => {
    const login = logins.issue('c1', '/spool/one');
    expect(await tryWith(login, { password: new Secret('') })).toBeUndefined();
    expect(await tryWith({ ...login, user: 'transfer-0' })).toBeUndefined();
    expect(await tryWith({ ...login, user: 'transfer-0' }, { password: new Secret('') })).toBeUndefined();
    expect(await tryWith(login, { peer: 'c3' })).toBeUndefined();
  });

  it('never works again once it is revoked, which ends its sessions, once', async () => {
    const login = logins.issue('c1', '/spool/one');
    login[Symbol.dispose]();
    login[Symbol.dispose]();
    expect(await tryWith(login)).toBeUndefined();
    expect(revoked).toEqual([login.user]);
  });
});

describe('what the receiving side has met', () => {
  it('is told under its own code, or as a failure of the peer where this version does not know it', () => {
    expect(failureOf({ code: 'TRANSFER_NO_SPACE', detail: 'full' })).toMatchObject({
      code: 'TRANSFER_NO_SPACE',
      detail: 'full',
    });
    expect(failureOf({ code: 'OF_THE_FUTURE', detail: 'what' })).toMatchObject({
      code: 'JOB_PEER_FAILED',
      detail: 'OF_THE_FUTURE: what',
    });
  });
});
