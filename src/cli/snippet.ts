/** `rollcall snippet`: the lines that make a mail server ask, for the configuration that runs. Changes nothing. */
import { Argument, type Command } from 'commander';
import type { Context } from './context.js';
import type { Host } from './host.js';
import type { Snippet } from './snippet/facts.js';
import { exitStatus } from './status.js';
import { mtas, type Mta } from './snippet/mtas.js';

export function registerSnippet(program: Command, host: Host): void {
  program
    .command('snippet')
    .summary('the lines to paste into your mail server')
    .description(
      'Prints the lines that make a mail server ask Rollcall, with the addresses of the running configuration. Without ' +
        '`--door`, for the door that suits it best of those that are configured. The lines go to standard output, remarks to ' +
        'standard error. With `--json`: `{mta, door, files: [{file, lines}], notes, others}`.',
    )
    .addArgument(new Argument('<mta>', 'the mail server').choices(mtas))
    .option('--door <name>', 'the door to ask through, as under `edges`, or `export`')
    .action((mta: Mta, options: { door?: string }, command: Command) =>
      host.run(command, (context) => snippet(context, mta, options.door)),
    );
}

async function snippet(context: Context, mta: Mta, door: string | undefined): Promise<number> {
  const { config } = await context.load();
  const { factsOf } = await import('./snippet/facts-of.js');
  const { makeSnippet, otherWays } = await import('./snippet/snippets.js');
  const facts = factsOf(config);
  const made = makeSnippet(mta, facts, door);
  const others = otherWays(mta, facts, made.door);
  context.answer({ ...made, others }, () => textOf(made));
  if (context.json) return exitStatus.done;
  for (const note of made.notes) context.note(`note: ${note}`);
  for (const other of others) {
    context.note(
      other.configured
        ? `also configured: --door ${other.door}`
        : `not configured: ${other.door}${other.example === '' ? '' : `, for which edges would have ${other.example}`}`,
    );
  }
  return exitStatus.done;
}

/** One file: its lines alone, so that `>>` makes no others. Several: each under its name, as a comment. */
function textOf({ mta, files }: Snippet): string[] {
  if (files.length === 1) return [...(files[0]?.lines ?? [])];
  const mark = mta === 'sendmail' ? 'dnl' : '#';
  return files.flatMap(({ file, lines }, at) => [
    ...(at === 0 ? [] : ['']),
    `${mark} ---- ${file}`,
    ...lines,
  ]);
}
