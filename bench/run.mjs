/**
 * `npm run bench [-- NAMES…]`: each bench/NAME.bench.mjs in a process of its own, one after the other; then a table, and
 * bench/results/latest.json with the machine and the versions. A benchmark that fails is shown as such; the exit status
 * is 0 only when all ran, whether or not they met their targets.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { root, runScript, say, setUp, SetupError } from '../scripts/setup.mjs';

const folder = join(root, 'bench');

function chosen(names) {
  const all = readdirSync(folder)
    .filter((file) => file.endsWith('.bench.mjs'))
    .map((file) => file.replace('.bench.mjs', ''))
    .sort();
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0)
    throw new SetupError(`No benchmark ${unknown.join(', ')}; there are: ${all.join(' ')}`);
  return names.length === 0 ? all : names;
}

function runOne(name) {
  say(`\n${name}`);
  const result = spawnSync(process.execPath, [join(folder, `${name}.bench.mjs`)], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
  });
  const results = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  return result.status === 0 ? results : [...results, { name, failed: true, rows: [] }];
}

const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

function table(results) {
  const head = ['benchmark', 'what', 'median', 'result', 'target', 'met'];
  const shown = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right', 'right'],
  });
  for (const { name, unit, rows, ratio, valueUnit, target, met, failed } of results) {
    const figures = rows.map(({ value }) => `${short.format(value)} ${unit}`).join('\n');
    const bound = target && (target.atLeast === undefined ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`);
    const result = failed ? 'FAILED' : `${short.format(ratio)} ${valueUnit}`;
    shown.push([
      name,
      rows.map(({ what }) => what).join('\n'),
      figures,
      result,
      bound ?? '',
      met ? 'yes' : 'NO',
    ]);
  }
  return shown.toString();
}

function machine() {
  return {
    node: process.version,
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    date: new Date().toISOString(),
  };
}

await runScript(() => {
  setUp();
  const results = chosen(process.argv.slice(2)).flatMap(runOne);
  mkdirSync(join(folder, 'results'), { recursive: true });
  const file = join(folder, 'results/latest.json');
  writeFileSync(file, `${JSON.stringify({ machine: machine(), results }, null, 2)}\n`);
  process.stdout.write(`${table(results)}\n`);
  say(`Written to ${file}`);
  return results.some(({ failed }) => failed) ? 1 : 0;
});
