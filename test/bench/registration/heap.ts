import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { z } from 'zod';
import type { TestSite } from '../../support/test-site.ts';

/** Environment of a site whose programs can be inspected (`heapBytesOf`), each on a port of its own. */
export const inspectable = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' };

const usageSchema = z.object({ id: z.literal(2), result: z.object({ usedSize: z.number() }) });

/** What lives in the heap of a site's program after a full collection. */
export async function heapBytesOf(site: TestSite, program: string): Promise<number> {
  const url = await inspectorOf(site, program);
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const ask = async (id: number, method: string): Promise<unknown> => {
    const answered = once(socket, 'message');
    socket.send(JSON.stringify({ id, method }));
    const [{ data }] = (await answered) as [{ readonly data: string }];
    return JSON.parse(data);
  };
  try {
    await ask(1, 'HeapProfiler.collectGarbage');
    return usageSchema.parse(await ask(2, 'Runtime.getHeapUsage')).result.usedSize;
  } finally {
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }
}

/** Opens the program's inspector, which says in its log where it listens. */
async function inspectorOf(site: TestSite, program: string): Promise<string> {
  await site.kill(program, 'SIGUSR1');
  let url: string | undefined;
  await site.waitFor(`the inspector of ${program}`, async () => {
    const log = await readFile(site.layout.programLog(program), 'utf8');
    url = [...log.matchAll(/ws:\/\/\S+/g)].at(-1)?.[0];
    return url !== undefined;
  });
  return url ?? '';
}
