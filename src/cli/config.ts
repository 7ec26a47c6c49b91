/** `rollcall config check`, `print` and `reference`. */
import type { Command } from 'commander';
import { RollcallError } from '../errors.js';
import type { Context } from './context.js';
import type { Host } from './host.js';
import { exitStatus } from './status.js';
import { plural } from './text.js';

export function registerConfig(program: Command, host: Host): void {
  const config = program
    .command('config')
    .summary('check, print and explain the configuration')
    .description('Checks, prints and explains the configuration.');
  config
    .command('check')
    .description('Says everything that is wrong with the configuration, and what is allowed but often wrong.')
    .action((_options: object, command: Command) => host.run(command, check));
  config
    .command('print')
    .description('Prints the configuration with every default filled in. Secrets stay references.')
    .action((_options: object, command: Command) => host.run(command, print));
  config
    .command('reference')
    .description('Prints the reference of every option, as Markdown.')
    .option('--schema', 'print the JSON Schema for editors instead')
    .action((options: { schema?: boolean }, command: Command) =>
      host.run(command, (context) => reference(context, options.schema === true)),
    );
}

async function check(context: Context): Promise<number> {
  const { parseConfigFile, formatIssues } = await import('./config-file.js');
  const file = context.configFile();
  const { issues, warnings, summary } = parseConfigFile(file);
  context.answer({ file, ok: issues.length === 0, errors: issues, warnings }, () => [
    ...formatIssues('error', issues),
    ...formatIssues('warning', warnings),
    issues.length === 0 ? `${file} is right: ${summary}.` : `${file}: ${plural(issues.length, 'mistake')}.`,
  ]);
  return issues.length === 0 ? exitStatus.done : exitStatus.usage;
}

async function print(context: Context): Promise<number> {
  const { printConfig } = await import('../config/print.js');
  const { config } = await context.load();
  const printed = printConfig(config);
  context.answer(printed, () => [JSON.stringify(printed, null, 2)]);
  return exitStatus.done;
}

async function reference(context: Context, schema: boolean): Promise<number> {
  const { configJsonSchema, configReference } = await import('../config/reference.js');
  if (context.json && !schema) {
    throw new RollcallError('usage', 'the reference is Markdown: with --json, ask for --schema');
  }
  context.answer(schema ? configJsonSchema() : undefined, () => [
    schema ? JSON.stringify(configJsonSchema(), null, 2) : configReference().trimEnd(),
  ]);
  return exitStatus.done;
}
