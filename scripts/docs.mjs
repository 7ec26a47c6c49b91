/**
 * The generated documents: `--write` makes them, `--check` fails when one is not what would be made.
 *
 * A registry: each entry names its file and makes its text out of the built program, so that a document and the code
 * cannot disagree. A generator may also refuse (an example that does not load) by throwing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { makeReadme } from './readme.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** A module of the built program. */
function built(path) {
  return import(pathToFileURL(join(root, 'dist', path)).href);
}

/** @type {readonly { file: string, make: () => Promise<string> }[]} */
const documents = [
  {
    file: 'docs/configuration.md',
    make: async () => (await built('config/reference.js')).configReference(),
  },
  {
    file: 'docs/config.schema.json',
    make: async () => `${JSON.stringify((await built('config/reference.js')).configJsonSchema(), null, 2)}\n`,
  },
  { file: 'docs/cli.md', make: async () => (await built('cli/reference.js')).cliReference() },
  { file: 'README.md', make: makeReadme },
  // Add a generated document here: its file, and what makes its text.
];

/** @type {readonly { name: string, check: () => Promise<string[]> }[]} */
const checks = [
  { name: 'config.example.json loads', check: () => problemsOf('config.example.json', (text) => text) },
  // A line that begins with `//` and no space is configuration switched off; `// ` is a remark.
  {
    name: 'config.example.json loads with every switched-off line on',
    check: () => problemsOf('config.example.json', (text) => text.replace(/^(\s*)\/\/(?! )/gm, '$1')),
  },
  { name: 'docs/verdicts.md has the table of src/policy/verdict.ts', check: verdictProblems },
  { name: 'links between pages lead somewhere', check: brokenLinks },
];

async function verdictProblems() {
  const { reasons, replies } = await built('policy/verdict.js');
  const text = readFileSync(join(root, 'docs/verdicts.md'), 'utf8');
  const table = /<!-- verdicts[^>]*-->([\s\S]*)<!-- end of verdicts -->/.exec(text)?.[1] ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const shown = rows.map((row) =>
    row
      .split('|')
      .slice(1, 5)
      .map((cell) => cell.trim())
      .join(' | '),
  );
  const wanted = reasons.map((reason) => {
    const { action, code, status, text: words } = replies[reason];
    return `\`${reason}\` | ${action} | ${code} ${status} | ${words}`;
  });
  return [
    ...wanted.filter((row) => !shown.includes(row)).map((row) => `missing: ${row}`),
    ...shown.filter((row) => !wanted.includes(row)).map((row) => `not in the code: ${row}`),
  ];
}

/** Links to files of this repository and to headings in them. */
function brokenLinks() {
  const pages = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'deploy/README.md'];
  for (const name of readdirSync(join(root, 'docs'))) if (name.endsWith('.md')) pages.push(`docs/${name}`);
  return pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '');
    const links = [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
    return links
      .filter(([, path, heading]) => !leadsSomewhere(join(root, dirname(page), path), page, path, heading))
      .map(([link]) => `${page}: ${link.slice(1)}`);
  });
}

function leadsSomewhere(target, page, path, heading) {
  const file = path === '' ? join(root, page) : target;
  if (!existsSync(file)) return false;
  if (heading === undefined) return true;
  const headings = readFileSync(file, 'utf8').match(/^#+ .*$/gm) ?? [];
  return headings.some((line) => slug(line) === heading);
}

/** As GitHub makes anchors of headings. */
function slug(line) {
  return line
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

async function problemsOf(file, change) {
  const { parseConfig } = await built('config/load.js');
  const { formatIssue } = await built('config/issues.js');
  const path = join(root, file);
  const parsed = parseConfig(change(readFileSync(path, 'utf8')), { file: path });
  return parsed.ok ? [] : parsed.issues.map(formatIssue);
}

/** Compiles into dist/. Type errors are the business of `npm run types`: the compiler writes its output all the same. */
function build() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root });
}

async function outdated() {
  const found = [];
  for (const { file, make } of documents) {
    const path = join(root, file);
    const text = await make();
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) found.push({ file, path, text });
  }
  return found;
}

async function main(mode) {
  if (mode !== '--write' && mode !== '--check') {
    process.stderr.write('usage: node scripts/docs.mjs --write | --check\n');
    return 2;
  }
  build();
  let status = 0;
  for (const { file, path, text } of await outdated()) {
    if (mode === '--write') writeFileSync(path, text);
    else status = 1;
    process.stdout.write(
      mode === '--write' ? `${file} written\n` : `${file} is out of date: run npm run docs\n`,
    );
  }
  for (const { name, check } of checks) {
    for (const problem of await check()) {
      process.stdout.write(`not so: ${name}: ${problem}\n`);
      status = 1;
    }
  }
  return status;
}

process.exitCode = await main(process.argv[2]);
