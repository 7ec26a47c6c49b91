/**
 * A real Haraka for the tests, from npm by its own package.json and lock (test/peers/haraka), under .cache/peers/haraka: no
 * dependency of the product.
 *
 * Promises: the versions of the lock and no others; no script of a package is run; whole or not there.
 */

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { peersFolder } from './peers-unpacked.mjs';
import { npm, root, say } from './setup.mjs';

const source = join(root, 'test/peers/haraka');
const folder = join(peersFolder, 'haraka');
const lock = () => readFileSync(join(source, 'package-lock.json'), 'utf8');

/** Whether the Haraka of the lock is there. */
export function haveHaraka() {
  const stamp = join(folder, '.installed');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lock();
}

/** Returns the reason of a failure, or undefined. */
export function installHaraka() {
  say('Installing Haraka for the tests …');
  const next = `${folder}.new-${process.pid}`;
  try {
    mkdirSync(next, { recursive: true, mode: 0o755 });
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(join(source, file), join(next, file));
    const args = ['ci', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    if (npm(args, { cwd: next }) !== 0) return 'Haraka: npm ci failed, see above';
    writeFileSync(join(next, '.installed'), lock());
    rmSync(folder, { recursive: true, force: true });
    renameSync(next, folder);
    return undefined;
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}
