/** `rollcall sync SOURCE`: one run now, in this process. */
import type { Command } from 'commander';
import { actorName, type Context } from './context.js';
import type { Host } from './host.js';
import { interruptible } from './interrupt.js';
import { progressLine } from './progress.js';
import { reportRun } from './report-run.js';
import { syncFolder } from './sync-folder.js';

export interface SyncOptions {
  readonly dryRun?: boolean;
  readonly full?: boolean;
}

export function registerSync(program: Command, host: Host): void {
  program
    .command('sync')
    .summary('read a source and bring its list up to date, now')
    .description(
      'Reads the source, compares it with the list in force, and applies what its guard lets through. Exit status 3: some ' +
        'of it is held for approval.',
    )
    .argument('<source>', 'name of the source, as in the configuration')
    .option('--full', 'read everything, also where only changes could be read')
    .option('--dry-run', 'show what would change, and change nothing')
    .action((source: string, options: SyncOptions, command: Command) =>
      host.run(command, (context) => sync(context, source, options)),
    );
}

async function sync(context: Context, source: string, options: SyncOptions): Promise<number> {
  const { config } = await context.load();
  const { runJob } = await import('../compose/jobs.js');
  const progress = progressLine(context.streams.stderr);
  const job = {
    kind: 'sync',
    source,
    dryRun: options.dryRun === true,
    full: options.full === true,
    actor: actorName(),
  } as const;
  const record = await interruptible(async (signal) => {
    const hooks = { signal, progress: progress.report };
    const dropped = syncFolder(config, source, job.dryRun, hooks);
    return await dropped.then((taken) => taken ?? runJob(config, job, hooks)).finally(() => progress.done());
  });
  return await reportRun(context, config, record);
}
