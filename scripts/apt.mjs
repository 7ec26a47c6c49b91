/** Debian's package tools, for the real servers of the tests: quiet, never asking, everything they say in .cache/apt.log. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './setup.mjs';

/** Servers live in sbin, which is not on the PATH of an ordinary user. */
export const pathWithSbin = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`;

/** What apt-get said, as a path to show. */
export const aptLog = '.cache/apt.log';

/** Why nothing can be installed here, or undefined. */
export function cannotInstall() {
  if (process.getuid?.() !== 0) return 'not running as root';
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return 'no apt-get here';
  return undefined;
}

/** Runs apt-get; true when it went well. */
export function apt(args, cwd = root) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const options = [
    '-q',
    '-y',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=120',
    '-o',
    'Dpkg::Use-Pty=0',
  ];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8', PATH: pathWithSbin };
  const command = 'log=$1; shift; exec apt-get "$@" >>"$log" 2>&1';
  return run('sh', ['-c', command, 'apt', join(root, aptLog), ...options, ...args], { env, cwd }) === 0;
}

/** Whether apt knows any package at all. */
export function haveLists() {
  const folder = '/var/lib/apt/lists';
  return (
    existsSync(folder) &&
    readdirSync(folder).some((file) => file.endsWith('_Packages') || file.includes('_Packages.'))
  );
}
