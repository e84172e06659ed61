import { chmod, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { startTicks } from '../../services/platform/embedded-postgres/process.ts';
import { dualhome } from '../support/dualhome.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestSite } from '../support/test-site.ts';

/** One site without a peer. */
class OneSite implements AsyncDisposable {
  readonly site: TestSite;
  readonly #stack: AsyncDisposableStack;

  private constructor(site: TestSite, stack: AsyncDisposableStack) {
    this.site = site;
    this.#stack = stack;
  }

  static async create(): Promise<OneSite> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await TemporaryDirectory.create());
    await chmod(path, 0o755);
    const site = stack.use(await TestSite.create('c1', path));
    return new OneSite(site, stack.move());
  }

  static async start(): Promise<OneSite> {
    const one = await OneSite.create();
    await one.site.start();
    return one;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

type Processes = Awaited<ReturnType<TestSite['processes']>>;

function alive(processes: Processes): readonly string[] {
  return [...processes].filter(([, { pid, ticks }]) => startTicks(pid) === ticks).map(([unit]) => unit);
}

describe('a site', () => {
  it('stops in order and leaves no process', async () => {
    await using one = await OneSite.start();
    const { site } = one;
    const processes = await site.processes();
    expect([...processes.keys()].sort()).toEqual([
      'api',
      'front',
      'home',
      'processor-home',
      'shared',
      'synchronizer',
    ]);
    expect(await site.stop()).toBe(0);
    expect(alive(processes)).toEqual([]);

    const stopped = async (program: string): Promise<string> => {
      const lines = (await readFile(site.layout.programLog(program), 'utf8')).trim().split('\n');
      const last = JSON.parse(lines.at(-1) ?? '{}') as { msg: string; exitCode: number; time: string };
      expect(last).toMatchObject({ msg: 'stopped', exitCode: 0 });
      return last.time;
    };
    const order = ['api', 'front', 'processor-home', 'synchronizer'];
    const times = await Promise.all(order.map(stopped));
    expect(times.toSorted()).toEqual(times);
  });

  it('starts a killed program or database again, and the others go on', async () => {
    await using one = await OneSite.start();
    const { site } = one;
    for (const unit of ['api', 'front', 'processor-home', 'synchronizer', 'home', 'shared']) {
      const before = await site.processes();
      const pid = await site.kill(unit);
      await site.waitForRestart(unit, pid);
      const after = await site.processes();
      const others = (processes: Processes) => [...processes].filter(([name]) => name !== unit);
      expect(others(after)).toEqual(others(before));
    }
  });

  it('whose supervisor was killed stops its programs; the next start adopts its databases', async () => {
    await using one = await OneSite.start();
    const { site } = one;
    const before = await site.processes();
    await site.killSupervisor();
    await site.waitFor('the programs to notice', async () => alive(before).length === 2);
    expect(alive(before)).toEqual(['home', 'shared']);
    await site.start();
    const after = await site.processes();
    for (const database of ['home', 'shared']) {
      expect(after.get(database)?.pid).toBe(before.get(database)?.pid);
    }
  });

  it('can be started at once after its supervisor was killed', async () => {
    await using one = await OneSite.start();
    const { site } = one;
    const before = await site.processes();
    await site.killSupervisor();
    await site.start();
    const after = await site.processes();
    for (const program of ['api', 'front', 'processor-home', 'synchronizer']) {
      expect(after.get(program)?.pid).not.toBe(before.get(program)?.pid);
    }
    expect(alive(before)).toEqual(['home', 'shared']);
  });

  it('is not started a second time', async () => {
    await using one = await OneSite.start();
    const { code, stderr } = await dualhome('site', 'start', '-c', one.site.path);
    expect(stderr).toContain('SITE_RUNNING');
    expect(code).toBe(2);
    await one.site.waitForUnits();
  });

  it('is seen and stopped by the command', async () => {
    await using one = await OneSite.start();
    const { site } = one;
    const processes = await site.processes();
    const status = await dualhome('site', 'status', '-c', site.path, '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ site: 'c1', ready: true });
    expect(await dualhome('site', 'stop', '-c', site.path)).toMatchObject({ code: 0 });
    expect(alive(processes)).toEqual([]);
    expect(await dualhome('site', 'status', '-c', site.path)).toMatchObject({ code: 3 });
  });

  it('takes up a changed site.yaml, and keeps the old one while the new one is not valid', async () => {
    await using one = await OneSite.start();
    const { site } = one;
    const text = await readFile(site.path, 'utf8');
    const before = await site.processes();
    await writeFile(site.path, text.replace('# log_level: info', 'log_level: loud'));
    await site.waitFor('the fault to be reported', async () => (await site.state()).problem !== undefined);
    expect((await site.state()).problem).toContain('log_level');
    expect(alive(before)).toEqual([...before.keys()]);
    await writeFile(site.path, text.replace('# log_level: info', 'log_level: debug'));
    await site.waitForRestart('api', before.get('api')?.pid ?? 0);
    await site.waitFor('the fault to be gone', async () => (await site.state()).problem === undefined);
    expect(alive(before)).toEqual(['home', 'shared']);
  });

  it('that cannot start says everything at once and leaves nothing behind', async () => {
    await using one = await OneSite.create();
    const { site } = one;
    const text = await readFile(site.path, 'utf8');
    await writeFile(
      site.path,
      text.replace('public_host: 127.0.0.1', 'public_host: "no host!"\nnonsense: 1'),
    );
    const { code, stderr } = await dualhome('site', 'start', '-c', site.path);
    expect(code).toBe(2);
    expect(stderr).toContain('public_host');
    expect(stderr).toContain('nonsense');
  });
});
