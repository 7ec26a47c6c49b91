/** p99 of a verdict through the policy edge while another list of 1 M rows is synced, against idle: 500 questions/s. */

import { setTimeout as delay } from 'node:timers/promises';
import { median, percentile, progress, report } from './lib/measure.mjs';
import { policyLatencies } from './lib/policy-load.mjs';
import { stopServer } from './lib/processes.mjs';
import { configure, startEdge, sync } from './lib/product.mjs';
import { csvList, domain, questions, workFolder } from './lib/workload.mjs';

const rows = 1_000_000;
const rounds = 3;
const recipients = questions(20_000, rows);
const idle = [];
const busy = [];

for (let round = 0; round < rounds; round++) {
  const other = 'other.example';
  const product = await configure(workFolder(), {
    sources: {
      list: { kind: 'csv', path: await csvList(rows) },
      other: { kind: 'csv', path: await csvList(rows, { at: other }) },
    },
    domains: {
      [domain]: { mode: 'enforce', sources: ['list'] },
      [other]: { mode: 'enforce', sources: ['other'] },
    },
  });
  await sync(product, 'list');
  const edge = await startEdge(product);
  const measure = async (until) =>
    percentile(await policyLatencies({ port: product.ports.policy, rate: 500, recipients, until }), 0.99);
  await measure(delay(3000));
  idle.push(await measure(delay(10_000)));
  busy.push(await measure(sync(product, 'other')));
  progress(`p99 idle ${idle.at(-1).toFixed(3)} ms, during the sync ${busy.at(-1).toFixed(3)} ms`);
  await stopServer(edge);
}

report({
  name: 'p99-during-sync',
  unit: 'ms',
  rows: [
    { what: 'idle', value: median(idle) },
    { what: 'while 1 M rows are synced', value: median(busy) },
  ],
  value: median(busy) / median(idle),
  target: { atMost: 2 },
});
