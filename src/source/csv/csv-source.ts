/**
 * The source `csv`: a list in a file or an upload, read as a stream.
 *
 * Promises: every row that could not be used, in whole or in part, is reported with its line; `complete` only when the list
 * was read to its end and nothing says that addresses are missing from it. Refuses the list whole (code `input`) when it is
 * not one, when its structure is broken, when it has no usable address, or when most of its rows have none.
 *
 * An object whose row could be used in part only is doubtful, and keeps what it had. A row without any usable address names
 * no object that could keep anything, nor does one whose primary address is the broken one: such rows are reported with
 * their line, maxBadPercent bounds the former, and the guard of the sync what they remove. They do not make the list
 * incomplete by themselves: one bad row that nobody mends would keep every leaver for ever.
 */
import { constants } from 'node:fs';
import { open as openFile, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { messageOf, RollcallError } from '../../errors.js';
import type { Source } from '../source.js';
import type { CsvSourceOptions } from './options.js';
import { Reading } from './reading.js';

/** Throws `config` when columns are named although there is no header to find them in. */
export function createCsvSource(options: CsvSourceOptions): Source {
  if (
    options.header === false &&
    Object.values(options.columns ?? {}).some((column) => column !== undefined)
  ) {
    throw new RollcallError('config', `source ${options.name}: columns are named, but header is false`);
  }
  return { read: (context) => new Reading(options, context).run() };
}

/** A file as a stream that fails at its end when the file was changed meanwhile. */
export async function openCsvFile(path: string): Promise<Readable> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer for ever, and with it a thread.
    file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw new Error('it is not a regular file');
  } catch (cause) {
    await file?.close();
    throw new RollcallError('source', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
  return Readable.from(unchanged(file, path), { objectMode: false });
}

async function* unchanged(file: FileHandle, path: string): AsyncGenerator<Buffer, void, void> {
  try {
    const before = await file.stat({ bigint: true });
    yield* file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>;
    const after = await file.stat({ bigint: true });
    if (before.size === after.size && before.mtimeNs === after.mtimeNs) return;
    throw new RollcallError('input', `${path} was changed while it was read`, {
      hint: 'Write the list under another name, and rename it when it is whole.',
    });
  } finally {
    await file.close();
  }
}
