/**
 * How long the write lock of lookup.db is held while 1 % of 1 M rows change.
 *
 * Seen from outside, without touching the file: in WAL mode the write lock is byte 120 of the -shm file
 * (sqlite.org/walformat.html §2.3.2), and /proc/locks lists who holds it.
 */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { median, must, progress, report } from './lib/measure.mjs';
import { configure, openGuard, sync } from './lib/product.mjs';
import { csvList, workFolder } from './lib/workload.mjs';

const rows = 1_000_000;
const writeLockByte = 120;
const folder = workFolder();
const full = await csvList(rows);
// 0.5 % gone and 0.5 % new.
const changed = await csvList(rows, { name: `list-changed-${rows}`, skipEvery: 200, extra: rows / 200 });

const shm = join(folder, 'data/lookup.db-shm');

function isLocked() {
  const inode = statSync(shm, { throwIfNoEntry: false })?.ino;
  if (inode === undefined) return false;
  const held = new RegExp(`WRITE \\S+ \\S+:${inode} ${writeLockByte} `);
  return held.test(readFileSync('/proc/locks', 'utf8'));
}

/** Longest time the lock was seen held without a gap while `work` ran, in ms. */
async function longestHold(work) {
  let longest = 0;
  let since;
  let over = false;
  const done = work().finally(() => (over = true));
  while (!over) {
    const now = performance.now();
    if (!isLocked()) since = undefined;
    else longest = Math.max(longest, now - (since ??= now));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await done;
  return longest;
}

let product = await configure(folder, { sources: { list: { kind: 'csv', path: full, guard: openGuard } } });
await sync(product, 'list');
const holds = [];
for (const path of [changed, full, changed, full]) {
  product = await configure(folder, { sources: { list: { kind: 'csv', path, guard: openGuard } } });
  const hold = await longestHold(async () => {
    const { counts } = await sync(product, 'list');
    must(counts.added + counts.removed === rows / 100, `changed ${JSON.stringify(counts)}`);
  });
  progress(`held ${hold.toFixed(1)} ms`);
  must(hold > 0, 'the lock was never seen: is lookup.db in WAL mode?');
  holds.push(hold);
}

report({
  name: 'lookup-lock',
  unit: 'ms',
  rows: [
    { what: 'median of 4 syncs', value: median(holds) },
    { what: 'longest', value: Math.max(...holds) },
  ],
  value: Math.max(...holds),
  valueUnit: 'ms',
  target: { atMost: 200 },
});
