import type { Address } from '../protocol/program-config.ts';
import { jobPreviewSchema } from '../protocol/rest/jobs.ts';
import type { JobPreview, JobRequest } from '../protocol/rest/jobs.ts';
import { statusSchema } from '../protocol/status.ts';
import type { Status } from '../protocol/status.ts';
import { DiagnosticsClient } from './diagnostics-client.ts';

/** This site's synchronizer. */
export class Synchronizer extends DiagnosticsClient {
  constructor(address: Address) {
    super(address, 'SYNCHRONIZER_UNREACHABLE');
  }

  /** How replication stands. @throws SYNCHRONIZER_UNREACHABLE, API_ANSWER_INVALID */
  status(): Promise<Status> {
    return this.ask('/status', { answer: statusSchema });
  }

  /** What a transfer would do. @throws SYNCHRONIZER_UNREACHABLE; what the synchronizer refused it with, such as LINK_DOWN */
  preview(job: JobRequest): Promise<JobPreview> {
    return this.ask('/preview', { query: { job: JSON.stringify(job) }, answer: jobPreviewSchema });
  }
}
