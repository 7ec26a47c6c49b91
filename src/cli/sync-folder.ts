/** `rollcall sync SOURCE` of a source whose lists are dropped into a folder: takes what waits there, now. */
import type { Config } from '../config/schema.js';
import type { RunRecord } from '../store/store.js';
import { actorName } from './context.js';
import type { JobHooks } from '../compose/jobs.js';

/** Undefined when the source has no folder. Throws `conflict` when nothing waits, or control is at it. */
export async function syncFolder(
  config: Config,
  source: string,
  dryRun: boolean,
  hooks: JobHooks,
): Promise<RunRecord | undefined> {
  const { dropOptionsOf, takeNow } = await import('../compose/drop/watch.js');
  const options = dropOptionsOf(config, source);
  if (options === undefined) return undefined;
  const { createDropFolder } = await import('../compose/drop/drop-folder.js');
  const { skippedIn } = await import('../compose/drop/control.js');
  const { runJob } = await import('../compose/jobs.js');
  const folder = createDropFolder(options, {
    run: (job) => runJob(config, job, hooks),
    problems: (run, limit) => skippedIn(config, run, limit),
    tell: () => undefined,
  });
  return await takeNow(folder, options, { actor: actorName(), dryRun, atOnce: true });
}
