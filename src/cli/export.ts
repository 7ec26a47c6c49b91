/** `rollcall export`: writes the map files, now, in this process. */
import type { Command } from 'commander';
import type { ExportReport } from '../export/options.js';
import type { Context } from './context.js';
import type { Host } from './host.js';
import { interruptible } from './interrupt.js';
import { exitStatus } from './status.js';
import { clean, count } from './text.js';

export interface ExportCommandOptions {
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

export function registerExport(program: Command, host: Host): void {
  program
    .command('export')
    .summary('write the map files for mail servers that cannot ask')
    .description(
      'Writes the files under `exports` of the configuration from the list in force, and runs their hooks. Only fresh and ' +
        'complete lists are written; a file that would be emptied or shrink too far stays as it is. Exit status 1: a file is ' +
        'not what it should be, and why is said. Control does this by itself after each change.',
    )
    .argument('[names...]', 'exports, as in the configuration; default: all')
    .option('--dry-run', 'show what would become of each file, and change nothing')
    .option('--force', 'write also what would empty a file, shrink it too far, or overwrite a foreign one')
    .action((names: string[], options: ExportCommandOptions, command: Command) =>
      host.run(command, (context) => runCommand(context, names, options)),
    );
}

async function runCommand(
  context: Context,
  names: readonly string[],
  { dryRun = false, force = false }: ExportCommandOptions,
): Promise<number> {
  const { config } = await context.load();
  const { runExports } = await import('../compose/exports.js');
  const { isWell } = await import('../export/options.js');
  const request = { dryRun, force, ...(names.length > 0 && { names }) };
  const reports = await interruptible((signal) => runExports(config, request, { signal, now: context.now }));
  context.answer({ exports: reports }, () =>
    reports.length === 0 ? ['No export is configured.'] : reports.flatMap(reportLines),
  );
  return reports.every(isWell) ? exitStatus.done : exitStatus.failed;
}

function reportLines(report: ExportReport): string[] {
  const { name, state, path, generation, domains, reasons, hint, warnings, hook } = report;
  const total = domains.reduce((sum, { addresses }) => sum + addresses, 0);
  const what = domains.length === 0 ? '' : `, ${count(total)} ${total === 1 ? 'address' : 'addresses'}`;
  const hookLine =
    hook === null ? [] : [`  hook: ${hook.ended}${hook.output === '' ? '' : `: ${hook.output}`}`];
  return [
    `${name}: ${state} (generation ${generation ?? 'none'}${what}) ${path}`,
    ...reasons.map((reason) => `  why: ${reason}`),
    ...(hint === '' ? [] : [`  ${hint}`]),
    ...warnings.map((warning) => `  note: ${warning}`),
    ...hookLine,
  ].map(clean);
}
