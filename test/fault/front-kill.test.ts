import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { FrontBed } from '../support/front-bed.ts';
import { UdpClient } from '../support/sip-clients.ts';
import { TestPhone } from '../support/test-phone.ts';

const front = fileURLToPath(new URL('../../services/front/main.ts', import.meta.url));
const phonesCount = 8;

/** Registers again and again, as another device each time, until the front is gone; returns what was answered 200. */
async function registerUntil(gone: Promise<unknown>, port: number, name: string): Promise<string[]> {
  await using client = await UdpClient.open(port);
  const answered: string[] = [];
  const ended = gone.then(() => 'gone' as const);
  for (let i = 0; ; i++) {
    const phone = new TestPhone(client, `${name}${i}@c1.example`);
    const outcome = await Promise.race([phone.register(), ended]);
    if (outcome === 'gone') return answered;
    if (outcome.status === 200) answered.push(phone.aor);
  }
}

test.each(['append.before-commit', 'append.after-commit'])(
  'a front killed at %s loses nothing it had answered',
  async (failpoint) => {
    await using bed = await FrontBed.open();
    await using child = new ChildProgram(front, {
      args: ['--config', bed.configFile],
      env: { DUALHOME_FAILPOINT: `${failpoint}=kill@12` },
    });
    await child.saw('serving');
    const exit = child.exit();
    const answered = await Promise.all(
      Array.from({ length: phonesCount }, (_, i) => registerUntil(exit, bed.port, `u${i}x`)),
    );
    expect(await exit).toMatchObject({ signal: 'SIGKILL' });
    const aors = answered.flat();
    expect(aors.length).toBeGreaterThan(phonesCount);

    await using _again = await bed.start();
    await using client = await UdpClient.open(bed.port);
    for (const aor of aors) {
      const listed = await new TestPhone(client, aor).register({ contact: '' });
      expect(listed.value('contact')).toContain('sip:phone@127.0.0.1');
    }
    expect((await new TestPhone(client, 'next@c1.example').register()).status).toBe(200);
  },
);
