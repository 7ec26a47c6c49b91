/** A CSV of 1 M rows, from the file to a published generation, against sqlite3 importing it into a table with a key. */

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, must, report, seconds } from './lib/measure.mjs';
import { configure, sync } from './lib/product.mjs';
import { csvList, workFolder } from './lib/workload.mjs';

const rows = 1_000_000;
const folder = workFolder();
const path = await csvList(rows);
const product = await configure(folder, { sources: { list: { kind: 'csv', path } } });

function importBare() {
  const file = join(folder, 'bare.db');
  rmSync(file, { force: true });
  const script = [
    // The default cache of 2 MB would make the peer three times slower than it can be.
    'PRAGMA cache_size = -262144;',
    'CREATE TABLE list (email TEXT NOT NULL PRIMARY KEY, name TEXT) WITHOUT ROWID;',
    `.import --csv --skip 1 "${path}" list`,
    'SELECT count(*) FROM list;',
  ].join('\n');
  const count = Number(execFileSync('sqlite3', [file], { input: script, encoding: 'utf8' }));
  must(count === rows, `sqlite3 imported ${count} rows`);
}

const figures = await alternate(
  {
    'sqlite3 .import': () => seconds(importBare),
    'rollcall sync': () => {
      rmSync(product.dataDir, { recursive: true, force: true });
      return seconds(async () => {
        const { counts } = await sync(product, 'list');
        must(counts.added === rows, `added ${counts.added} rows`);
      });
    },
  },
  { rounds: 3 },
);

report({
  name: 'csv-1m',
  unit: 's',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: figures['rollcall sync'] / figures['sqlite3 .import'],
  target: { atMost: 5 },
});
