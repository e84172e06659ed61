import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ClosedLoop } from '../bench/registration/load/closed-loop.ts';
import { ChildProgram } from '../support/child-program.ts';
import { FrontBed } from '../support/front-bed.ts';
import { UdpClient } from '../support/sip-clients.ts';
import { TestPhone } from '../support/test-phone.ts';
import { freePort } from '../support/free-port.ts';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const perSecond = 20_000;
const phonesCount = 10;
const handshakes = 40;

/** A front in a process of its own, and one that floods it from another address. */
async function flooded(bed: FrontBed): Promise<AsyncDisposable & { readonly flood: ChildProgram }> {
  await using stack = new AsyncDisposableStack();
  const front = stack.use(
    new ChildProgram(pathOf('../../services/front/main.ts'), { args: ['--config', bed.configFile] }),
  );
  await front.saw('serving');
  const args = ['--port', String(bed.port), '--source', '127.0.0.2', '--per-second', String(perSecond)];
  const flood = stack.use(new ChildProgram(pathOf('../support/programs/sip-flood.ts'), { args }));
  await flood.saw('sent');
  const owned = stack.move();
  return { flood, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test('20,000 unauthenticated REGISTERs a second do not stop the handshake of devices that are registered', async () => {
  await using bed = await FrontBed.open();
  await using stack = new AsyncDisposableStack();
  const phones: TestPhone[] = [];
  {
    await using _before = await bed.start();
    for (let i = 0; i < phonesCount; i++) {
      const client = stack.use(await UdpClient.open(bed.port));
      phones.push(new TestPhone(client, `phone${i}@c1.example`));
      expect((await phones.at(-1)?.register())?.status).toBe(200);
    }
  }
  await using _running = await flooded(bed);
  for (let i = 0; i < handshakes; i++) {
    const answers = await Promise.all(phones.map((phone) => phone.options()));
    expect(answers.map(({ status }) => status)).toEqual(phones.map(() => 200));
  }
});

test('5,000 devices behind one address register again while another address floods', async () => {
  await using bed = await FrontBed.open();
  await using _running = await flooded(bed);
  const result = await new ClosedLoop({
    target: { host: '127.0.0.1', port: bed.port },
    source: { host: '127.0.0.3', port: await freePort() },
    first: 1,
    count: 5_000,
    atATime: 500,
    expiresS: 600,
    sequence: 1,
  }).run();
  expect(result.failed).toBe(0);
  expect(result.responseTimesMs).toHaveLength(5_000);
});
