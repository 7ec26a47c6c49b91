/**
 * Makes a checkout ready to run: packages installed, the native one loadable, dist/ built from the present src/.
 *
 * Promises: a second call changes nothing and takes well under half a second; what is done is said on stderr, with how
 * to mend it when it fails (SetupError). Uses Node's own modules only, because it runs before any package is there.
 * Refuses an old Node, and a build with type errors: the dist/ that was there stays.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Set-up cannot go on; the message says what to do. */
export class SetupError extends Error {
  name = 'SetupError';
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Everything a checkout needs before `start`, `test` or `bench`. Throws SetupError. */
export function setUp() {
  checkNode();
  if (!packagesMatch()) installPackages();
  if (!nativeLoads()) rebuildNative();
  if (!isBuilt()) build();
}

/** Runs `main`, printing a SetupError as a message and anything else whole; sets the exit status. */
export async function runScript(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    say(error instanceof SetupError ? `\n${error.message}` : String(error?.stack ?? error));
    process.exitCode = 1;
  }
}

/** Is this module the one that was started (`node scripts/x.mjs`), not imported? */
export function isMain(moduleUrl) {
  return process.argv[1] !== undefined && moduleUrl === pathToFileURL(process.argv[1]).href;
}

/** Runs a command with our stdio; stdout goes to stderr, which leaves stdout to the caller's own lines. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) throw new SetupError(`Cannot run ${command}: ${result.error.message}`);
  return result.status ?? 1;
}

function checkNode() {
  const wanted = readJson('package.json').engines.node.replace(/^>=/, '');
  const [major, minor] = wanted.split('.').map(Number);
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  throw new SetupError(
    `Rollcall needs Node.js ${wanted} or newer; this is ${process.version} (${process.execPath}).`,
  );
}

/**
 * npm writes what it installed to node_modules/.package-lock.json, last of all. When every package there is the one
 * that package-lock.json names, there is nothing to install (platform packages that npm left out are optional).
 */
function packagesMatch() {
  const installedFile = 'node_modules/.package-lock.json';
  if (!existsSync(join(root, installedFile))) return false;
  const installed = readJson(installedFile).packages;
  return Object.entries(readJson('package-lock.json').packages).every(([path, wanted]) => {
    if (path === '') return true;
    const have = installed[path];
    if (have === undefined) return wanted.optional === true || wanted.devOptional === true;
    return have.version === wanted.version && have.integrity === wanted.integrity;
  });
}

function installPackages() {
  say('Installing packages (the first time this takes a minute or two: better-sqlite3 may be compiled) …');
  // NODE_ENV=production would leave the compiler out.
  if (npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']) === 0) return;
  throw new SetupError(
    'npm ci failed, see above. If better-sqlite3 did not compile, install a C++ compiler, make and Python 3\n' +
      '(Debian: apt-get install build-essential python3) and start again.',
  );
}

/** A failed load is not remembered by the process, so the check can be repeated after a rebuild. */
function nativeLoads() {
  const script = "new (require('better-sqlite3'))(':memory:').close()";
  return spawnSync(process.execPath, ['-e', script], { cwd: root, stdio: 'ignore' }).status === 0;
}

function rebuildNative() {
  say(`Compiling better-sqlite3 for Node.js ${process.version} (about a minute) …`);
  const status = npm(['rebuild', 'better-sqlite3', '--loglevel=error']);
  if (status === 0 && nativeLoads()) return;
  throw new SetupError(
    'better-sqlite3 cannot be loaded and did not compile. Install a C++ compiler, make and Python 3\n' +
      '(Debian: apt-get install build-essential python3), then: npm rebuild better-sqlite3',
  );
}

/** Runs npm under this very Node, with its headers when they lie beside it, so that no download is needed. */
export function npm(args, options = {}) {
  const prefix = dirname(dirname(process.execPath));
  const env = { ...process.env, ...options.env };
  env.PATH = `${dirname(process.execPath)}:${env.PATH}`;
  if (headersMatch(prefix)) env.npm_config_nodedir = prefix;
  return run('npm', args, { ...options, env });
}

function headersMatch(prefix) {
  const header = join(prefix, 'include/node/node_version.h');
  if (!existsSync(header)) return false;
  const text = readFileSync(header, 'utf8');
  const number = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return `v${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}` === process.version;
}

function isBuilt() {
  const stamp = join(root, 'dist/.stamp');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceHash();
}

/** Compiles src/ beside dist/ and swaps: a running process or a failed build never sees half of it. */
export function build() {
  say('Building …');
  const stamp = sourceHash();
  const next = join(root, `dist.next-${process.pid}`);
  const old = join(root, `dist.old-${process.pid}`);
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const status = run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', next]);
    if (status !== 0) throw new SetupError('The build failed, see above.');
    writeFileSync(join(next, '.stamp'), stamp);
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(next, join(root, 'dist'));
  } finally {
    rmSync(next, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

/** Hash of everything that decides what the build gives. */
function sourceHash() {
  const hash = createHash('sha256');
  const files = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', ...filesUnder('src')];
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}
