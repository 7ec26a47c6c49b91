/** `rollcall runs`: the history, newest first. */
import { InvalidArgumentError, type Command } from 'commander';
import type { RunRecord } from '../store/store.js';
import { detailRun } from '../store/summary.js';
import type { Context } from './context.js';
import { withDirectory } from './directory.js';
import type { Host } from './host.js';
import { exitStatus } from './status.js';
import { stateText } from './run-text.js';
import { ago, moment, table } from './text.js';

export interface RunsOptions {
  readonly source?: string;
  readonly limit: number;
}

const mostRuns = 1000;

export function registerRuns(program: Command, host: Host): void {
  program
    .command('runs')
    .summary('list the runs, newest first')
    .description('Lists every attempt to bring a list up to date, whatever its end, newest first.')
    .option('--source <source>', 'only the runs of this source')
    .option('--limit <n>', `how many, at most ${mostRuns}`, wholeNumber, 20)
    .action((options: RunsOptions, command: Command) =>
      host.run(command, (context) => runs(context, options)),
    );
}

/** For commander: a whole number from 1 up. */
export function wholeNumber(text: string): number {
  const n = Number(text);
  if (!/^\d{1,15}$/.test(text) || n < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 up.');
  return n;
}

async function runs(context: Context, options: RunsOptions): Promise<number> {
  const { config } = await context.load();
  if (options.source !== undefined) {
    const { sourceConfigOf } = await import('../compose/sources/sources.js');
    sourceConfigOf(config, options.source);
  }
  const { listRuns } = await import('../store/sqlite/run-records.js');
  const limit = Math.min(options.limit, mostRuns);
  const found = await withDirectory(config, (db) => listRuns(db, { source: options.source, limit }));
  context.answer({ runs: found.map(detailRun) }, () =>
    found.length === 0 ? ['There is no run yet.'] : [runsTable(found, context.now())],
  );
  return exitStatus.done;
}

function runsTable(records: readonly RunRecord[], now: number): string {
  const head = ['run', 'source', 'kind', 'state', 'started', '', 'read', '+', '~', '-', 'held', 'by'];
  return table(
    head,
    records.map((record) => [
      String(record.run),
      record.source,
      record.kind,
      stateText(record),
      moment(record.startedAt),
      ago(record.startedAt, now),
      record.counts.read,
      record.counts.added,
      record.counts.changed,
      record.counts.removed,
      record.counts.held,
      record.actor,
    ]),
  );
}
