/** The reference of the command line, as Markdown, out of the commands themselves. */
import { type Command, type Argument, type Option } from 'commander';
import type { Streams } from './context.js';
import { createHost } from './host.js';
import { createProgram, description } from './program.js';

const intro = `# Command line

<!-- Generated from src/cli by \`npm run docs\`. Do not edit. -->

${description}

\`rollcall COMMAND …\`; from a checkout, \`node dist/main.js COMMAND …\`. Every command takes \`-c FILE\` (default \`./config.json\`,
then \`/etc/rollcall/config.json\`) and \`--json\`, before or after its own arguments. The answer goes to standard output,
everything beside it to standard error; progress is shown only on a terminal.

| exit status | meaning |
|---|---|
| 0 | done; for \`check\`: accept |
| 1 | failed, refused, or interrupted |
| 2 | the command line or the configuration is wrong |
| 3 | something is held for approval |
| 4 | \`check\`: reject |
| 5 | \`check\`: defer |

With \`--json\`, a failure prints \`{"error": {"code", "message", "hint"}}\`, and the sentence still goes to standard error.
\`sync\` and \`upload\` print \`{run, source, state, mode, complete, planHash, counts: {read, added, changed, removed, held, skipped},
reasons, notes, description}\`; \`state\` is one of \`unchanged\` \`applied\` \`partly-held\` \`held\` \`refused\` \`failed\` \`planned\`
\`interrupted\`. \`check\` prints \`{address, action, reason, code, status, text, generation, recipient, claims, …}\`.

Ctrl-C during a \`sync\` or an \`upload\` stops it before anything is applied, and the run is recorded as failed.
`;

export function cliReference(): string {
  const streams: Pick<Streams, 'stdout' | 'stderr'> = process;
  const program = createProgram(createHost({ ...streams, stdin: process.stdin }), streams);
  return `${intro}\n${program.commands.flatMap((command) => sections(command, 'rollcall')).join('\n')}`;
}

function sections(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) {
    const inner = command.commands.flatMap((child) => sections(child, name));
    return [`## ${name}\n\n${command.description()}\n`, ...inner];
  }
  const level = parent.includes(' ') ? '###' : '##';
  const usage = [name, ...command.registeredArguments.map(argumentText)].join(' ');
  const rows = [...command.registeredArguments.map(argumentRow), ...command.options.map(optionRow)];
  const table = rows.length === 0 ? '' : `\n| | |\n|---|---|\n${rows.join('\n')}\n`;
  return [`${level} ${usage}\n\n${command.description()}\n${table}`];
}

function argumentText(argument: Argument): string {
  const name = argument.name().toUpperCase();
  return argument.required ? name : `[${name}]`;
}

function argumentRow(argument: Argument): string {
  return `| \`${argument.name().toUpperCase()}\` | ${argument.description} |`;
}

function optionRow(option: Option): string {
  const preset: unknown = option.defaultValue;
  const choices =
    option.argChoices === undefined ? '' : ` One of ${option.argChoices.map((c) => `\`${c}\``).join(' ')}.`;
  const text = preset === undefined ? '' : ` Default: \`${JSON.stringify(preset).replace(/"/g, '')}\`.`;
  return `| \`${option.flags}\` | ${option.description}.${choices}${text} |`;
}
