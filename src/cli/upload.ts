/**
 * `rollcall upload SOURCE FILE`: one run from a CSV file.
 *
 * A named file is read where it lies. Standard input is spooled to a file first, with a bound, because a list is read
 * from its start more than once and must be whole before anything is compared.
 */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/schema.js';
import { messageOf, RollcallError } from '../errors.js';
import type { RunRecord } from '../store/store.js';
import { actorName, type Context } from './context.js';
import type { Host } from './host.js';
import { interruptible } from './interrupt.js';
import { progressLine } from './progress.js';
import { reportRun } from './report-run.js';

export interface UploadOptions {
  readonly dryRun?: boolean;
}

/** Of standard input when the configuration has no `http.uploadLimit`. */
const defaultLimit = 256 * 1024 * 1024;

export function registerUpload(program: Command, host: Host): void {
  program
    .command('upload')
    .summary('bring a csv source up to date from a file')
    .description(
      'Takes a CSV file as the whole list of the source: who is not in it is to be removed, as far as the guard lets ' +
        'through. Exit status 3: some of it is held for approval.',
    )
    .argument('<source>', 'name of a source of kind csv')
    .argument('<file>', 'the CSV file; `-` for standard input')
    .option('--dry-run', 'show what would change, and change nothing')
    .action((source: string, file: string, options: UploadOptions, command: Command) =>
      host.run(command, (context) => upload(context, source, file, options)),
    );
}

async function upload(
  context: Context,
  source: string,
  file: string,
  options: UploadOptions,
): Promise<number> {
  const { config } = await context.load();
  const { sourceConfigOf } = await import('../compose/sources/sources.js');
  sourceConfigOf(config, source);
  const dryRun = options.dryRun === true;
  const record = await interruptible((signal) =>
    file === '-'
      ? fromStdin(context, config, { source, dryRun, signal })
      : runUpload(
          context,
          config,
          { source, dryRun, signal },
          { path: resolve(file), label: basename(file) },
        ),
  );
  return await reportRun(context, config, record);
}

interface Request {
  readonly source: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

async function fromStdin(context: Context, config: Config, request: Request): Promise<RunRecord> {
  const { spool } = await import('../http/spool.js');
  const { stdin } = context.streams;
  if (stdin.isTTY) context.note('Reading the list from the terminal; end it with Ctrl-D.');
  const spooled = await spool(stdin, {
    folder: join(config.dataDir, 'spool'),
    limitBytes: config.http?.uploadLimit ?? defaultLimit,
    signal: request.signal,
  });
  try {
    return await runUpload(context, config, request, { path: spooled.path, label: 'standard input' });
  } finally {
    await spooled.remove();
  }
}

async function runUpload(
  context: Context,
  config: Config,
  { source, dryRun, signal }: Request,
  upload: { readonly path: string; readonly label: string },
): Promise<RunRecord> {
  await requireFile(upload.path);
  const { runJob } = await import('../compose/jobs.js');
  const progress = progressLine(context.streams.stderr);
  const job = { kind: 'upload', source, dryRun, upload, actor: actorName() } as const;
  return await runJob(config, job, { signal, progress: progress.report }).finally(() => progress.done());
}

/** Refuses what is not a regular file: reading a device or a pipe may never end. */
async function requireFile(path: string): Promise<void> {
  let isFile: boolean;
  try {
    isFile = (await stat(path)).isFile();
  } catch (cause) {
    throw new RollcallError('usage', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
  if (!isFile) {
    throw new RollcallError('usage', `${path} is not a regular file`, {
      hint: 'To read from a pipe, name `-` and pipe the list to standard input.',
    });
  }
}
