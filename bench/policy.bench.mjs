/** Policy requests per second on 20 kept connections, half unknown, against a server that answers DUNNO blindly. */

import { join } from 'node:path';
import { alternate, must, report } from './lib/measure.mjs';
import { policyLoad } from './lib/policy-load.mjs';
import { freePort, startServer, stopServer } from './lib/processes.mjs';
import { configure, startEdge, sync } from './lib/product.mjs';
import { csvList, questions, root, workFolder } from './lib/workload.mjs';

const rows = 100_000;
const load = { count: 100_000, connections: 20, recipients: questions(20_000, rows) };

const blindPort = await freePort();
const blind = await startServer(process.execPath, [join(root, 'bench/baselines/policy.mjs'), blindPort], {
  port: blindPort,
});
const path = await csvList(rows);
const product = await configure(workFolder(), { sources: { list: { kind: 'csv', path } } });
await sync(product, 'list');
const edge = await startEdge(product);

const figures = await alternate({
  'answers DUNNO blindly': async () => (await policyLoad({ ...load, port: blindPort })).requestsPerSecond,
  'rollcall edge': async () => {
    const { requestsPerSecond, actions } = await policyLoad({ ...load, port: product.ports.policy });
    must(actions['550'] === load.count / 2, `wrong answers: ${JSON.stringify(actions)}`);
    return requestsPerSecond;
  },
});
await stopServer(blind);
await stopServer(edge);

report({
  name: 'policy',
  unit: 'requests/s',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: figures['rollcall edge'] / figures['answers DUNNO blindly'],
  target: { atLeast: 0.75 },
});
