/**
 * Spools a stream to a private file: a list must be there whole before anything is compared.
 *
 * Promises: bounded; a stream that ends early, is too large, or is aborted leaves no file. Files that a killed process
 * left behind go after a day.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { messageOf, RollcallError } from '../errors.js';

export interface SpoolOptions {
  readonly folder: string;
  readonly limitBytes: number;
  readonly signal?: AbortSignal;
}

export interface Spooled {
  readonly path: string;
  readonly bytes: number;
  remove(): Promise<void>;
}

/** The list is larger than the limit. */
export class TooLargeError extends RollcallError {
  constructor(limitBytes: number) {
    super('input', `the list is larger than ${limitBytes} bytes`, {
      hint: 'Raise http.uploadLimit if it is meant to be.',
    });
  }
}

/** Throws TooLargeError; `input` when the stream broke off; `store` when the file cannot be written. */
export async function spool(stream: Readable, options: SpoolOptions): Promise<Spooled> {
  const path = await newPath(options.folder);
  const remove = (): Promise<void> => rm(path, { force: true });
  try {
    return { path, bytes: await copy(stream, path, options), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function newPath(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new RollcallError('store', `${folder} cannot be written: ${messageOf(cause)}`, { cause });
  }
  return join(folder, `upload-${process.pid}-${randomBytes(8).toString('hex')}.csv`);
}

async function copy(stream: Readable, path: string, options: SpoolOptions): Promise<number> {
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw new RollcallError('store', `${path} cannot be written: ${messageOf(cause)}`, { cause });
  });
  const stop = (): void => void stream.destroy(options.signal?.reason as Error);
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    options.signal?.throwIfAborted();
    let bytes = 0;
    for await (const chunk of chunksOf(stream, options.signal)) {
      bytes += chunk.length;
      if (bytes > options.limitBytes) throw new TooLargeError(options.limitBytes);
      await file.writeFile(chunk).catch((cause: unknown) => {
        throw new RollcallError('store', `${path} cannot be written: ${messageOf(cause)}`, { cause });
      });
    }
    return bytes;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await file.close();
  }
}

/** The stream stays open when the reading stops: an HTTP request must be answered even then. */
async function* chunksOf(stream: Readable, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield Buffer.from(chunk as Buffer);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RollcallError('input', `the list broke off: ${messageOf(cause)}; nothing was changed`, {
      cause,
    });
  }
}

const leftOverMs = 24 * 3_600_000;

/** Removes what killed processes left behind. Never throws. */
export async function sweepSpool(folder: string, now: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((file) => file.startsWith('upload-'))) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && now - found.mtimeMs > leftOverMs)
      await rm(path, { force: true }).catch(() => undefined);
  }
}
