/** `rollcall doctor`: checks everything a newcomer gets wrong, and says how to mend it. Changes nothing. */
import type { Command } from 'commander';
import type { Context } from './context.js';
import type { Finding, Level } from './doctor/finding.js';
import type { Host } from './host.js';
import { exitStatus } from './status.js';
import { clean, plural } from './text.js';

export function registerDoctor(program: Command, host: Host): void {
  program
    .command('doctor')
    .summary('check everything a newcomer gets wrong')
    .description(
      'Checks the configuration, the machine, the databases, every source (it reads a first batch), every domain and every ' +
        'door, and says what is wrong, why it matters, and how to mend it. Changes nothing. Exit status 1: there are errors.',
    )
    .option('--quiet', 'leave out what is well')
    .action((options: { quiet?: boolean }, command: Command) =>
      host.run(command, (context) => doctor(context, options.quiet === true)),
    );
}

async function doctor(context: Context, quiet: boolean): Promise<number> {
  const { examine } = await import('./doctor/examine.js');
  const findings = await examine(context.configFile(), context.now());
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const shown = quiet ? findings.filter(({ level }) => level !== 'ok') : findings;
  const errors = count('error');
  context.answer({ ok: errors === 0, errors, warnings: count('warn'), findings: shown }, () => [
    ...shown.flatMap(findingLines),
    `${plural(errors, 'error')}, ${plural(count('warn'), 'warning')}, ${count('ok')} well.`,
  ]);
  return errors === 0 ? exitStatus.done : exitStatus.failed;
}

function findingLines({ level, about, what, why, mend }: Finding): string[] {
  return [
    `${level.padEnd(5)}  ${clean(about)}: ${clean(what)}`,
    ...(why === '' ? [] : [`         why: ${clean(why)}`]),
    ...(mend === '' ? [] : [`        mend: ${clean(mend)}`]),
  ];
}
