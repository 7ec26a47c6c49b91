/** p99 of one verdict (policy edge, 20 kept connections, half unknown) while questions arrive at half of full load. */

import { alternate, percentile, progress, report } from './lib/measure.mjs';
import { policyArrivals, policyLoad } from './lib/policy-load.mjs';
import { stopServer } from './lib/processes.mjs';
import { configure, startEdge, sync } from './lib/product.mjs';
import { csvList, questions, workFolder } from './lib/workload.mjs';

const rows = 100_000;
const load = { connections: 20, recipients: questions(20_000, rows) };

const sources = { list: { kind: 'csv', path: await csvList(rows) } };
const product = await configure(workFolder(), { sources, doors: ['policy'] });
await sync(product, 'list');
const edge = await startEdge(product);
const at = { ...load, port: product.ports.policy };

await policyLoad({ ...at, count: 50_000 });
const { requestsPerSecond } = await policyLoad({ ...at, count: 100_000 });
const rate = requestsPerSecond / 2;
progress(`full load: ${Math.round(requestsPerSecond)} requests/s`);
const figures = await alternate({
  p99: async () => percentile(await policyArrivals({ ...at, rate, count: Math.round(rate * 5) }), 0.99),
});
await stopServer(edge);

report({
  name: 'p99-half-load',
  unit: 'ms',
  rows: [{ what: `${Math.round(rate)} requests/s`, value: figures.p99 }],
  value: figures.p99,
  valueUnit: 'ms',
  target: { atMost: 5 },
});
