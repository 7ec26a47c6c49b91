/**
 * Puts a finished file in the place of another: readers see the old one or the new one, never a part.
 *
 * Promises: mode, owner and group of the file in place are kept, and a new one has those it is given; the new name is on
 * disk when it returns. Throws `RollcallError` when the owner cannot be set, as the mail server might not be able to read the
 * file.
 */
import { chmodSync, chownSync, closeSync, fsyncSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, RollcallError } from '../errors.js';
import { idOf, type Rights } from './rights.js';

const newFileMode = 0o640;

/** Both names are in one folder. `rights` are those of a new file. */
export function replaceFile(temporary: string, path: string, rights: Rights): void {
  const there = statSync(path, { throwIfNoEntry: false }) ?? newFile(temporary, rights);
  setOwner(temporary, path, there);
  // after chown, which takes set-user-id bits away; until here nobody else could read it
  chmodSync(temporary, there.mode & 0o7777);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

interface Owned {
  readonly uid: number;
  readonly gid: number;
}

function newFile(temporary: string, { mode = newFileMode, owner, group }: Rights): Owned & { mode: number } {
  const made = statSync(temporary);
  return {
    mode,
    uid: owner === undefined ? made.uid : idOf('user', owner),
    gid: group === undefined ? made.gid : idOf('group', group),
  };
}

function setOwner(temporary: string, path: string, { uid, gid }: Owned): void {
  const made = statSync(temporary);
  if (made.uid === uid && made.gid === gid) return;
  try {
    chownSync(temporary, uid, gid);
  } catch (cause) {
    throw new RollcallError(
      'store',
      `${path} cannot be given to its user (${uid}) and group (${gid}): ${messageOf(cause)}`,
      {
        cause,
        hint: 'Give the file to the user that Rollcall runs as, with a group that this user and the mail server are in.',
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
