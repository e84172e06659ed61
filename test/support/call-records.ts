import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { callRecordSchema, callRecordsFile } from '../../services/protocol/call-record.ts';
import type { CallRecord } from '../../services/protocol/call-record.ts';
import type { TestSite } from './test-site.ts';

/** What a site has written down of a call. */
export async function callRecordsOf({ layout }: TestSite, callId: string): Promise<readonly CallRecord[]> {
  const text = await readFile(join(layout.callRecords, callRecordsFile), 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines
    .map((line) => callRecordSchema.parse(JSON.parse(line)))
    .filter((each) => each.callId === callId);
}
