/**
 * Where an export is written: the real file behind the configured path, a lock beside it, and temporary names.
 *
 * Promises: one process at a time writes a file, whatever it calls it and whichever Rollcall it belongs to; a temporary
 * name is nobody else's. Refuses a symbolic link that leads nowhere: a volume is missing, and a file put in the place of
 * the link would stay when it is back.
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RollcallError } from '../errors.js';
import { takeLockFile } from '../store/sqlite/lock-file.js';

/** Follows symbolic links, those of the folder too. Throws for a link that leads nowhere and a folder that is not there. */
export function realPathOf(path: string): string {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return join(realpathSync(dirname(path)), basename(path));
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new RollcallError('store', `${path} is a symbolic link that leads nowhere`, {
      cause,
      hint: 'Is a volume not mounted? Otherwise remove the link, or make the file that it names.',
    });
  }
}

/** `path` is a real one. Throws `conflict` while another process writes it. */
export function lockPlace(path: string): () => void {
  const file = join(dirname(path), `.${basename(path)}.rollcall-lock`);
  return takeLockFile(file, { busy: `${path} is being written by another process` });
}

const mark = '.rollcall-new-';

/** A name beside `path` that nobody else has. */
export function temporaryFor(path: string): string {
  return `${path}${mark}${process.pid}-${randomBytes(6).toString('hex')}`;
}

/**
 * Removes what attempts left behind that were cut off. Only under the lock: a temporary file with our own process number
 * is then one of an earlier life (in a container every life has the same).
 */
export function removeStale(path: string): void {
  const prefix = `${basename(path)}${mark}`;
  for (const name of readdirSync(dirname(path))) {
    const pid = /^(\d+)-[0-9a-f]{12}$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      rmSync(join(dirname(path), name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
