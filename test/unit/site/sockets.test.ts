import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { socketPath } from '../../../services/site/sockets.ts';

describe('the socket of a program', () => {
  it('is in the run directory where its path fits', () => {
    expect(socketPath('/srv/c1/data/run', 'processor-home')).toBe('/srv/c1/data/run/processor-home.sock');
  });

  it('is in a directory of ours for short paths where it does not, each its own', () => {
    const deep = `/srv/${'d'.repeat(100)}/run`;
    const paths = ['processor-home', 'processor-standby-c2'].map((name) => socketPath(deep, name));
    expect(new Set(paths).size).toBe(2);
    for (const path of paths) {
      expect(path.startsWith(join(tmpdir(), `dualhome-${process.getuid?.()}`))).toBe(true);
      expect(Buffer.byteLength(path)).toBeLessThanOrEqual(107);
    }
  });
});
