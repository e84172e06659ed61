import { claimDataDir } from '../platform/embedded-postgres/ownership.ts';
import { DualhomeError, isDualhomeError } from '../protocol/errors/index.ts';

/** Only one process at a time starts, prepares or stops what is in a data_dir. @throws SITE_RUNNING */
export function claimSite(dataDir: string): Disposable {
  try {
    return claimDataDir(dataDir);
  } catch (error) {
    if (!isDualhomeError(error, 'POSTGRES_IN_USE')) throw error;
    throw new DualhomeError('SITE_RUNNING', { detail: error.detail, facts: error.facts, cause: error });
  }
}
