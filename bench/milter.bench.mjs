/** Recipients per second by milter on 20 kept connections, half unknown, against a milter that answers CONTINUE blindly. */

import { join } from 'node:path';
import { alternate, must, report } from './lib/measure.mjs';
import { milterLoad } from './lib/milter-load.mjs';
import { freePort, startServer, stopServer } from './lib/processes.mjs';
import { configure, startEdge, sync } from './lib/product.mjs';
import { csvList, questions, root, workFolder } from './lib/workload.mjs';

const rows = 100_000;
const load = { count: 100_000, connections: 20, recipients: questions(20_000, rows) };

const blindPort = await freePort();
const script = join(root, 'bench/baselines/milter.mjs');
const blind = await startServer(process.execPath, [script, blindPort], { port: blindPort });
const path = await csvList(rows);
const sources = { list: { kind: 'csv', path } };
const product = await configure(workFolder(), { sources, doors: ['milter'] });
await sync(product, 'list');
const edge = await startEdge(product);

const figures = await alternate({
  'answers CONTINUE blindly': async () =>
    (await milterLoad({ ...load, port: blindPort })).recipientsPerSecond,
  'rollcall edge': async () => {
    const { recipientsPerSecond, answers } = await milterLoad({ ...load, port: product.ports.milter });
    must(answers.y550 === load.count / 2, `wrong answers: ${JSON.stringify(answers)}`);
    return recipientsPerSecond;
  },
});
await stopServer(blind);
await stopServer(edge);

report({
  name: 'milter',
  unit: 'recipients/s',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: figures['rollcall edge'] / figures['answers CONTINUE blindly'],
  target: { atLeast: 0.75 },
});
