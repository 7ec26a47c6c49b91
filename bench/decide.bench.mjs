/**
 * `decide` in one process, half of the recipients unknown: at 1 M against the bare better-sqlite3 row read by key on the
 * same file, and at 10 M against its own rate at 1 M.
 */

import { alternate, must, report } from './lib/measure.mjs';
import { openDecide } from './lib/decide.mjs';
import { configure, sync } from './lib/product.mjs';
import { csvList, questions, workFolder } from './lib/workload.mjs';

const count = 500_000;

async function prepare(rows) {
  const path = await csvList(rows);
  const product = await configure(workFolder(), { sources: { list: { kind: 'csv', path } } });
  await sync(product, 'list');
  return { ...(await openDecide(product)), recipients: questions(count, rows) };
}

function decideRate({ decide, recipients }) {
  let accepted = 0;
  const start = performance.now();
  for (const recipient of recipients) {
    const question = { recipient, form: 'smtp', sender: 'a@b.example', client: '192.0.2.7', edge: 'smtp' };
    if (decide(question).action === 'accept') accepted++;
  }
  const taken = (performance.now() - start) / 1000;
  must(accepted === count / 2, `decide accepted ${accepted} of ${count}`);
  return count / taken;
}

function bareRate({ readRow, recipients }) {
  let found = 0;
  const start = performance.now();
  for (const recipient of recipients) if (readRow(recipient) !== undefined) found++;
  const taken = (performance.now() - start) / 1000;
  must(found === count / 2, `the bare read found ${found} of ${count}`);
  return count / taken;
}

const million = await prepare(1_000_000);
const small = await alternate({
  'bare row read, 1 M': () => bareRate(million),
  'decide, 1 M': () => decideRate(million),
});
report({
  name: 'decide',
  unit: 'verdicts/s',
  rows: Object.entries(small).map(([what, value]) => ({ what, value })),
  value: small['decide, 1 M'] / small['bare row read, 1 M'],
  target: { atLeast: 0.6 },
});

const tenMillion = await prepare(10_000_000);
const large = await alternate({
  'decide, 1 M': () => decideRate(million),
  'decide, 10 M': () => decideRate(tenMillion),
  'bare row read, 10 M': () => bareRate(tenMillion),
});
report({
  name: 'decide-10m',
  unit: 'verdicts/s',
  rows: Object.entries(large).map(([what, value]) => ({ what, value })),
  value: large['decide, 10 M'] / large['decide, 1 M'],
  target: { atLeast: 0.7 },
});
