/** Debian packages that only a benchmark needs: installed when they are missing and this is root; otherwise a clear error. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { progress } from './measure.mjs';

/** `wanted`: { package: a file that it brings }. */
export function needDebian(wanted) {
  const missing = Object.entries(wanted)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name);
  if (missing.length === 0) return;
  progress(`installing ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const args = ['install', '-y', '-q', '--no-install-recommends', ...missing];
  const { status } = spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 2] });
  if (status !== 0) throw new Error(`this benchmark needs the Debian packages ${missing.join(' ')}`);
}
