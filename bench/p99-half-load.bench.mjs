/**
 * p99 of one verdict (policy edge, 20 kept connections, half unknown) while questions arrive at half of full load; beside it
 * a server that answers blindly at the same rate, which shows what the machine and the client take by themselves.
 */

import { join } from 'node:path';
import { alternate, percentile, progress, report } from './lib/measure.mjs';
import { policyArrivals, policyLoad } from './lib/policy-load.mjs';
import { freePort, startServer, stopServer } from './lib/processes.mjs';
import { configure, startEdge, sync } from './lib/product.mjs';
import { csvList, questions, root, workFolder } from './lib/workload.mjs';

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
const blindPort = await freePort();
const script = join(root, 'bench/baselines/policy.mjs');
const blind = await startServer(process.execPath, [script, blindPort], { port: blindPort });
const p99 = async (port) =>
  percentile(await policyArrivals({ ...at, port, rate, count: Math.round(rate * 5) }), 0.99);
const figures = await alternate({
  'answers DUNNO blindly': () => p99(blindPort),
  'rollcall edge': () => p99(product.ports.policy),
});
await stopServer(edge);
await stopServer(blind);

report({
  name: 'p99-half-load',
  unit: 'ms',
  rows: Object.entries(figures).map(([what, value]) => ({
    what: `${what}, ${Math.round(rate)} requests/s`,
    value,
  })),
  value: figures['rollcall edge'],
  valueUnit: 'ms',
  target: { atMost: 5 },
});
