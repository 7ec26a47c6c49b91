/**
 * Runs one command line: arguments in, exit status out. Throws nothing.
 *
 * A failure is a sentence on standard error, what to do about it, and with `--json` also a JSON object on standard output.
 * A defect of Rollcall shows its stack, because somebody will have to send it in.
 */
import { CommanderError } from 'commander';
import { asRollcallError, RollcallError } from '../errors.js';
import type { Streams } from './context.js';
import { createHost } from './host.js';
import { createProgram } from './program.js';
import { exitStatus, statusOfError } from './status.js';

export async function runCli(args: readonly string[], streams: Streams): Promise<number> {
  for (const stream of [streams.stdout, streams.stderr]) stream.on('error', ignoreClosedPipe);
  const host = createHost(streams);
  const json = args.includes('--json');
  // with --json the usage error is our own to print
  const program = createProgram(host, streams);
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return exitStatus.usage;
    }
    await program.parseAsync(args, { from: 'user' });
    return host.status();
  } catch (error) {
    return error instanceof CommanderError ? usageError(error, json, streams) : failure(error, json, streams);
  }
}

/** commander has written its sentence to standard error already. */
function usageError(error: CommanderError, json: boolean, streams: Streams): number {
  if (error.exitCode === 0) return exitStatus.done;
  if (json) writeJson(streams, new RollcallError('usage', error.message.replace(/^error: /, '')));
  return exitStatus.usage;
}

function failure(error: unknown, json: boolean, streams: Streams): number {
  const known = asRollcallError(error);
  if (json) writeJson(streams, known);
  const hint = known.hint === '' ? '' : `\n${known.hint}`;
  const stack = known.code === 'internal' && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  streams.stderr.write(`rollcall: ${known.message}${hint}${stack}\n`);
  return statusOfError(known);
}

function writeJson(streams: Streams, { code, message, hint }: RollcallError): void {
  streams.stdout.write(`${JSON.stringify({ error: { code, message, hint } }, null, 2)}\n`);
}

/** `rollcall runs | head` is no failure: whoever reads has seen enough. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
