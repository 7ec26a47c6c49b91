/** `rollcall show RUN`: everything recorded about one run. */
import type { Command } from 'commander';
import { RollcallError } from '../errors.js';
import type { HeldRecord } from '../store/sqlite/claims.js';
import type { ChangeRecord, ProblemRecord, RunRecord } from '../store/store.js';
import { detailRun } from '../store/summary.js';
import type { Context } from './context.js';
import { withDirectory, withTraffic } from './directory.js';
import type { Host } from './host.js';
import { nextStep, runHeading, whenText } from './run-text.js';
import { wholeNumber } from './runs.js';
import { exitStatus } from './status.js';
import { ago, clean, showKey, table } from './text.js';

interface Shown {
  readonly record: RunRecord;
  readonly changes: readonly ChangeRecord[];
  readonly held: readonly HeldRecord[];
  readonly problems: readonly ProblemRecord[];
}

export function registerShow(program: Command, host: Host): void {
  program
    .command('show')
    .summary('show one run: its plan, counts, reasons, and first changes')
    .description(
      'Shows one run: how it ended and why, its plan hash, the first changes, what is held, and the rows that could not ' +
        'be used, with their lines.',
    )
    .argument('<run>', 'number of the run', wholeNumber)
    .option('--limit <n>', 'changes, held rows and problems to show of each', wholeNumber, 20)
    .action((run: number, options: { limit: number }, command: Command) =>
      host.run(command, (context) => show(context, run, Math.min(options.limit, 100_000))),
    );
}

async function show(context: Context, run: number, limit: number): Promise<number> {
  const { config } = await context.load();
  const { getRun } = await import('../store/sqlite/run-records.js');
  const { changesOf, heldOf, problemsOf } = await import('../store/sqlite/claims.js');
  const shown = await withDirectory(config, (db): Shown => {
    const record = getRun(db, run);
    if (record === undefined) {
      throw new RollcallError('not-found', `there is no run ${run}`, { hint: '`rollcall runs` lists them.' });
    }
    const [changes, held] = [changesOf(db, run, limit), heldOf(db, run, limit)];
    return { record, changes, held, problems: problemsOf(db, run, limit) };
  });
  const lastMail = await withTraffic(config, (traffic) => {
    const removals = shown.held.filter((row) => row.op === '-');
    return new Map(removals.map(({ key }) => [key, traffic.lastAccepted(shown.record.tenant, key)]));
  });
  context.answer(toJson(shown, lastMail), () => toLines(shown, lastMail, context.now()));
  return exitStatus.done;
}

type LastMail = ReadonlyMap<string, number | undefined>;

function toJson({ record, changes, held, problems }: Shown, lastMail: LastMail): unknown {
  return {
    ...detailRun(record),
    changes: changes.map(({ op, key, object, attribute }) => ({ op, key, object, attribute })),
    held: held.map((row) => {
      const at = lastMail.get(row.key);
      return { ...row, lastMail: at === undefined ? null : new Date(at).toISOString() };
    }),
    problems,
  };
}

function toLines({ record, changes, held, problems }: Shown, lastMail: LastMail, now: number): string[] {
  const [first = '', ...rest] = runHeading(record);
  const facts = [
    `  started ${whenText(record, now)} by ${clean(record.actor)}`,
    `  plan ${record.planHash ?? 'none'}, the read was ${record.complete ? '' : 'not '}proved complete`,
    ...(record.generation === null ? [] : [`  made generation ${record.generation}`]),
  ];
  const heldTitle = record.state === 'planned' ? 'Would change' : 'Held';
  return [
    first,
    ...facts,
    ...rest,
    ...section(`${heldTitle}:`, held.length === 0 ? '' : heldTable(held, lastMail, now)),
    ...section('Changes:', changes.length === 0 ? '' : changesTable(changes)),
    ...section('Could not be used:', problems.length === 0 ? '' : problemsTable(problems)),
    ...(nextStep(record).length === 0 ? [] : ['', ...nextStep(record)]),
  ];
}

function section(title: string, body: string): string[] {
  return body === '' ? [] : ['', title, body];
}

function heldTable(held: readonly HeldRecord[], lastMail: LastMail, now: number): string {
  const rows = held.map(({ op, key, object }) => {
    const at = lastMail.get(key);
    return [op, showKey(key), object, at === undefined ? '' : `last mail ${ago(at, now)}`];
  });
  return table(['', 'address', 'object', ''], rows, '  ');
}

function changesTable(changes: readonly ChangeRecord[]): string {
  const rows = changes.map(({ op, key, object, attribute }) => [op, showKey(key), object, attribute]);
  return table(['', 'address', 'object', 'attribute'], rows, '  ');
}

function problemsTable(problems: readonly ProblemRecord[]): string {
  return table(
    ['where', 'why'],
    problems.map((problem) => [problem.where, problem.reason]),
    '  ',
  );
}
