/** The watch over drop folders as control has it: runs in its pool, what a run skipped out of the store. */
import type { Config } from '../../config/schema.js';
import { problemsOf } from '../../store/sqlite/claims.js';
import { directoryPath, openDirectoryReader } from '../../store/sqlite/open.js';
import type { ProblemRecord } from '../../store/store.js';
import type { Logger } from '../../telemetry/log.js';
import type { Runner } from '../runner.js';
import { startDropWatch, type DropWatch } from './watch.js';

export function watchDropFolders(config: () => Config, runner: Runner, log: Logger): DropWatch {
  const problems = (run: number, limit: number): ProblemRecord[] => skippedIn(config(), run, limit);
  return startDropWatch({ config, run: (job) => runner.run(job), problems, log });
}

/** What a run could not use. A store that cannot be read does not keep a list from being put away. */
export function skippedIn({ dataDir }: Config, run: number, limit: number): ProblemRecord[] {
  try {
    const db = openDirectoryReader(directoryPath(dataDir));
    try {
      return problemsOf(db, run, limit);
    } finally {
      db.close();
    }
  } catch {
    return [];
  }
}
