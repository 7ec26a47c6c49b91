/**
 * `npm start`: installs what is missing, builds, and runs control and edge on this machine.
 *
 * Runs with ./config.json when there is one, else with config.example.json (SQLite, a sample list, every door on
 * loopback). Arguments after `--` are passed on to `rollcall serve`. Ends with its exit status; SIGTERM, SIGINT and SIGHUP
 * reach it.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root, runScript, say, setUp } from './setup.mjs';

function configArguments(args) {
  if (args.some((arg) => /^(-c|--config)/.test(arg))) return [];
  if (existsSync(join(root, 'config.json'))) return ['-c', 'config.json'];
  say(
    'No config.json here: running the example, config.example.json. Copy it to config.json to make it yours.',
  );
  return ['-c', 'config.example.json'];
}

async function start(args) {
  setUp();
  const command = ['--enable-source-maps', 'dist/main.js', ...configArguments(args), 'serve', ...args];
  const child = spawn(process.execPath, command, { cwd: root, stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; a second one would read as impatience.
      if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal);
    });
  }
  const [code, signal] = await once(child, 'exit');
  return code ?? 128 + constants.signals[signal];
}

await runScript(() => start(process.argv.slice(2)));
