/** The lock between processes: alone, or not at all. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLockFile } from '../../src/store/sqlite/lock-file.js';
import { House } from '../support/house.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** As a user who owns nothing. */
function asNobody<T>(run: () => T): T {
  process.seteuid?.(65_534);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
  }
}

const isRoot = process.getuid?.() === 0;
const busy = 'somebody is at it';

describe('a lock file', () => {
  it('is held by one, and free again after', () => {
    const path = join(folder, 'lock');
    const unlock = takeLockFile(path, { busy });
    expect(() => takeLockFile(path, { busy })).toThrow(
      expect.objectContaining({ code: 'conflict', message: busy }),
    );
    unlock();
    takeLockFile(path, { busy })();
  });

  it.runIf(isRoot)('that cannot be written is no lock: it says whose it is and how to mend it', () => {
    const path = join(folder, 'lock');
    takeLockFile(path, { busy })();
    chmodSync(folder, 0o777);
    expect(() => asNobody(() => takeLockFile(path, { busy }))).toThrow(
      expect.objectContaining({
        code: 'store',
        message: expect.stringMatching(
          /readonly database\. It belongs to root, and Rollcall runs as nobody/,
        ) as unknown,
        hint: expect.stringContaining(`chown nobody ${path}`) as unknown,
      }),
    );
  });

  it.runIf(isRoot)('of another user keeps publish from running beside its publisher', () => {
    const house = new House();
    try {
      chmodSync(house.folder, 0o777);
      expect(() => asNobody(() => house.publish())).toThrow(
        /publish\.lock cannot be used: .*belongs to root/,
      );
    } finally {
      house.close();
    }
  });
});
