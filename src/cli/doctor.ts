/**
 * `rollcall doctor`: checks everything a newcomer gets wrong, here or in the mail server, and says how to mend it. Changes
 * nothing.
 */
import type { Command } from 'commander';
import type { Context } from './context.js';
import type { Finding, Level } from './doctor/finding.js';
import type { MtaOptions } from './doctor/mta/read-mta.js';
import type { Host } from './host.js';
import { exitStatus } from './status.js';
import { clean, plural } from './text.js';

export function registerDoctor(program: Command, host: Host): void {
  program
    .command('doctor')
    .summary('check everything a newcomer gets wrong')
    .description(
      'Checks the configuration, the machine, the databases, every source (it reads a first batch), every domain and every ' +
        'door, and says what is wrong, why it matters, and how to mend it. With `--postfix`, `--exim` or `--haraka` it looks at ' +
        'the configuration of that mail server instead, for what makes backscatter or passes Rollcall by (doctor.md). ' +
        'Changes nothing. Exit status 1: there are errors.',
    )
    .option('--quiet', 'leave out what is well')
    .option(
      '--postfix [where]',
      'look at a Postfix: its configuration folder (default: that of `postconf`), or a file with what `postconf -n` and ' +
        '`postconf -M` print, `-` for standard input',
    )
    .option('--exim [file]', 'look at an Exim: its configuration file (default: the usual places)')
    .option('--haraka [folder]', 'look at a Haraka: its folder (default: /etc/haraka)')
    .action((options: DoctorOptions, command: Command) =>
      host.run(command, (context) => doctor(context, options)),
    );
}

interface DoctorOptions extends MtaOptions {
  readonly quiet?: boolean;
}

async function doctor(context: Context, options: DoctorOptions): Promise<number> {
  const findings = await findingsOf(context, options);
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const shown = options.quiet === true ? findings.filter(({ level }) => level !== 'ok') : findings;
  const errors = count('error');
  context.answer({ ok: errors === 0, errors, warnings: count('warn'), findings: shown }, () => [
    ...shown.flatMap(findingLines),
    `${plural(errors, 'error')}, ${plural(count('warn'), 'warning')}, ${count('ok')} well.`,
  ]);
  return errors === 0 ? exitStatus.done : exitStatus.failed;
}

async function findingsOf(context: Context, options: DoctorOptions): Promise<readonly Finding[]> {
  const { examineMta, wantsMta } = await import('./doctor/mta/read-mta.js');
  if (wantsMta(options)) {
    const { factsOf } = await import('./snippet/facts-of.js');
    return examineMta(options, factsOf((await context.load()).config));
  }
  const { examine } = await import('./doctor/examine.js');
  return await examine(context.configFile(), context.now());
}

function findingLines({ level, about, what, why, mend }: Finding): string[] {
  return [
    `${level.padEnd(5)}  ${clean(about)}: ${clean(what)}`,
    ...(why === '' ? [] : [`         why: ${clean(why)}`]),
    ...(mend === '' ? [] : [`        mend: ${clean(mend)}`]),
  ];
}
