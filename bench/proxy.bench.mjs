/** Messages of 10 kB per second through the proxy to a sink, against a relay that reads nothing. */

import { join } from 'node:path';
import { alternate, report } from './lib/measure.mjs';
import { messageLoad } from './lib/message-load.mjs';
import { freePort, startServer, stopServer } from './lib/processes.mjs';
import { configure, sync } from './lib/product.mjs';
import { csvList, isKnown, questions, root, workFolder } from './lib/workload.mjs';

const rows = 100_000;
const recipients = questions(20_000, rows).filter((_, index) => isKnown(index));
const load = { messages: 3000, sessions: 20, perSession: 10, size: 10_000, recipients };

const node = (file, ...args) => [process.execPath, [join(root, file), ...args]];
const [sinkPort, relayPort] = [await freePort(), await freePort()];
const sink = await startServer(...node('bench/baselines/smtp-sink.mjs', sinkPort), { port: sinkPort });
const relay = await startServer(...node('bench/baselines/relay.mjs', relayPort, sinkPort), {
  port: relayPort,
});
const path = await csvList(rows);
const product = await configure(workFolder(), {
  sources: { list: { kind: 'csv', path } },
  doors: ['proxy'],
  edges: { proxy: { nextHops: `127.0.0.1:${sinkPort}` } },
});
await sync(product, 'list');
const proxyPort = product.ports.proxy;
const edge = await startServer(...node('dist/main.js', '-c', product.file, 'edge'), {
  port: proxyPort,
  log: join(product.folder, 'edge.log'),
});

const figures = await alternate({
  'relay that reads nothing': () => messageLoad({ ...load, port: relayPort }),
  'rollcall proxy': () => messageLoad({ ...load, port: proxyPort }),
});
for (const server of [relay, edge, sink]) await stopServer(server);

report({
  name: 'proxy',
  unit: 'messages/s',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: figures['rollcall proxy'] / figures['relay that reads nothing'],
  target: { atLeast: 0.7 },
});
