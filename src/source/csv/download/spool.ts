/**
 * A downloaded list in a private file that has no name any more: whatever happens to the process, nothing is left behind.
 *
 * Promises: bounded; a transfer that breaks off, is too large, or is aborted leaves nothing.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { messageOf, RollcallError } from '../../../errors.js';

export interface Spooled {
  /** SHA-256 of the list, in hex. */
  readonly sha256: string;
  /** The list from its beginning. */
  open(): Readable;
  /** It is gone after this. */
  close(): Promise<void>;
}

export interface SpoolOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly label: string;
}

/** Throws what the stream throws; `input` when it is too large; `store` when the file cannot be written. */
export async function spoolUnnamed(chunks: AsyncIterable<Buffer>, options: SpoolOptions): Promise<Spooled> {
  const { folder, maxBytes, label } = options;
  const file = await unnamedFile(folder);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new RollcallError('input', `${label}: the list is larger than ${String(maxBytes)} bytes`, {
          hint: 'Raise `maxSize` of the source if it is meant to be.',
        });
      }
      hash.update(chunk);
      await file.writeFile(chunk).catch((cause: unknown) => {
        throw unwritable(folder, cause);
      });
    }
    return {
      sha256: hash.digest('hex'),
      open: () => file.createReadStream({ start: 0, autoClose: false }),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function unnamedFile(folder: string): Promise<FileHandle> {
  const path = join(folder, `download-${String(process.pid)}-${randomBytes(8).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(path, 'wx+', 0o600);
    await rm(path);
    return file;
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

function unwritable(folder: string, cause: unknown): RollcallError {
  return new RollcallError('store', `${folder} cannot be written: ${messageOf(cause)}`, { cause });
}
