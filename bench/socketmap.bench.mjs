/** Socketmap lookups per second on 20 kept connections, half unknown, against a server that answers OK blindly. */

import { join } from 'node:path';
import { alternate, must, report } from './lib/measure.mjs';
import { freePort, startServer, stopServer } from './lib/processes.mjs';
import { configure, startEdge, sync } from './lib/product.mjs';
import { socketmapLoad } from './lib/socketmap-load.mjs';
import { csvList, questions, root, workFolder } from './lib/workload.mjs';

const rows = 100_000;
const load = { count: 100_000, connections: 20, recipients: questions(20_000, rows) };

const blindPort = await freePort();
const script = join(root, 'bench/baselines/socketmap.mjs');
const blind = await startServer(process.execPath, [script, blindPort], { port: blindPort });
const path = await csvList(rows);
const sources = { list: { kind: 'csv', path } };
const product = await configure(workFolder(), { sources, doors: ['socketmap'] });
await sync(product, 'list');
const edge = await startEdge(product);

const figures = await alternate({
  'answers OK blindly': async () => (await socketmapLoad({ ...load, port: blindPort })).lookupsPerSecond,
  'rollcall edge': async () => {
    const { lookupsPerSecond, words } = await socketmapLoad({ ...load, port: product.ports.socketmap });
    must(words.NOTFOUND === load.count / 2, `wrong answers: ${JSON.stringify(words)}`);
    return lookupsPerSecond;
  },
});
await stopServer(blind);
await stopServer(edge);

report({
  name: 'socketmap',
  unit: 'lookups/s',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: figures['rollcall edge'] / figures['answers OK blindly'],
  target: { atLeast: 0.75 },
});
