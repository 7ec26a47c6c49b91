/** Runs one of scripts/ as a process of its own and gives back its exit status and all it printed. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function runScript(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const script = fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url));
  const result = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status: result.status, output: result.stderr + result.stdout };
}
