/** `rollcall approve`, `discard` and `rollback`: what a person decides about a run. */
import type { Command } from 'commander';
import type { Job } from '../compose/jobs.js';
import { detailRun } from '../store/summary.js';
import { actorName, type Context } from './context.js';
import type { Host } from './host.js';
import { reportRun } from './report-run.js';
import { wholeNumber } from './runs.js';
import { exitStatus } from './status.js';

export function registerSettle(program: Command, host: Host): void {
  program
    .command('approve')
    .summary('apply what a run holds')
    .description(
      'Applies the held part of a run. With --hash it counts only for the plan that was seen: if the plan has changed ' +
        'since, nothing is applied.',
    )
    .argument('<run>', 'number of the run', wholeNumber)
    .option('--hash <hash>', 'plan hash, as `rollcall show` prints it')
    .action((run: number, options: { hash?: string }, command: Command) =>
      host.run(command, (context) =>
        settle(context, { kind: 'approve', run, hash: options.hash, actor: actorName() }),
      ),
    );
  program
    .command('discard')
    .summary('drop what a run holds')
    .description(
      'Drops the held part of a run. The next run sees the same difference again, and holds it again.',
    )
    .argument('<run>', 'number of the run', wholeNumber)
    .action((run: number, _options: object, command: Command) =>
      host.run(command, (context) => discard(context, run)),
    );
  program
    .command('rollback')
    .summary('undo a run and every later run of its source')
    .description(
      'Brings the claims of the source back to what they were before the run, undoing it and every later run of the ' +
        'source. The rollback is a run of its own, and can be rolled back.',
    )
    .argument('<run>', 'number of the run', wholeNumber)
    .action((run: number, _options: object, command: Command) =>
      host.run(command, (context) => settle(context, { kind: 'rollback', run, actor: actorName() })),
    );
}

async function settle(context: Context, job: Job): Promise<number> {
  const { config } = await context.load();
  const { runJob } = await import('../compose/jobs.js');
  const record = await runJob(config, job, { signal: new AbortController().signal });
  return await reportRun(context, config, record);
}

async function discard(context: Context, run: number): Promise<number> {
  const { config } = await context.load();
  const { runJob } = await import('../compose/jobs.js');
  const job: Job = { kind: 'discard', run, actor: actorName() };
  const record = await runJob(config, job, { signal: new AbortController().signal });
  context.answer(detailRun(record), () => [
    `Run ${run}: its held part is discarded. The next run of source ${record.source} compares anew.`,
  ]);
  return exitStatus.done;
}
