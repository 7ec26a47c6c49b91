/**
 * Puts a finished file in the place of another: readers see the old one or the new one, never a part.
 *
 * Promises: mode, owner and group of the file in place are kept (0640 when there is none); the new name is on disk when it
 * returns. Throws `RollcallError` when the owner cannot be kept, as the mail server might not be able to read the file.
 */
import { chmodSync, chownSync, closeSync, fsyncSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, RollcallError } from '../errors.js';

const newFileMode = 0o640;

/** Both names are in one folder. */
export function replaceFile(temporary: string, path: string): void {
  const there = statSync(path, { throwIfNoEntry: false });
  chmodSync(temporary, there === undefined ? newFileMode : there.mode & 0o7777);
  if (there !== undefined) keepOwner(temporary, path, there);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

function keepOwner(temporary: string, path: string, there: { uid: number; gid: number }): void {
  const made = statSync(temporary);
  if (made.uid === there.uid && made.gid === there.gid) return;
  try {
    chownSync(temporary, there.uid, there.gid);
    // chown takes set-user-id bits away, and nothing else
    chmodSync(temporary, statSync(path).mode & 0o777);
  } catch (cause) {
    throw new RollcallError(
      'store',
      `${path} belongs to another user or group, which cannot be kept: ${messageOf(cause)}`,
      {
        cause,
        hint: 'Give the file to the user that Rollcall runs as, with a group the mail server is in.',
      },
    );
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
