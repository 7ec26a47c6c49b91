/**
 * Messages of 10 kB per second between two whole Postfix, until all are with the one behind, which throws them away: through
 * the proxy as `smtpd_proxy_filter` of the one in front, against a relay that reads nothing in its place, and against no filter
 * (the one in front queues, and sends on).
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { alternate, must, report, seconds } from './lib/measure.mjs';
import { messageLoad } from './lib/message-load.mjs';
import { startPostfix } from './lib/postfix.mjs';
import { freePort, startServer, stopServer } from './lib/processes.mjs';
import { configure, startEdge, sync } from './lib/product.mjs';
import { csvList, isKnown, questions, root, workFolder } from './lib/workload.mjs';

const rows = 100_000;
const recipients = questions(20_000, rows).filter((_, index) => isKnown(index));
const load = { messages: 500, sessions: 10, perSession: 10, size: 10_000, recipients };
const folder = workFolder();

const behind = await startPostfix(folder, 'behind', [
  'smtpd_authorized_xforward_hosts = 127.0.0.0/8',
  'mynetworks = 127.0.0.0/8',
]);
const relayPort = await freePort();
const script = join(root, 'bench/baselines/relay.mjs');
const relay = await startServer(process.execPath, [script, relayPort, behind.port], { port: relayPort });
const product = await configure(folder, {
  sources: { list: { kind: 'csv', path: await csvList(rows) } },
  doors: ['proxy'],
  edges: { proxy: { nextHops: `127.0.0.1:${behind.port}`, clientInfo: 'xforward' } },
});
await sync(product, 'list');
const edge = await startEdge(product);

const fronts = {
  'no filter': [`relay_transport = relay:[127.0.0.1]:${behind.port}`],
  'relay that reads nothing': [`smtpd_proxy_filter = 127.0.0.1:${relayPort}`],
  'rollcall proxy': [`smtpd_proxy_filter = 127.0.0.1:${product.ports.proxy}`],
};
/** Until nothing is in its queue any more. */
async function emptied({ folder: home }) {
  const holds = (queue) => readdirSync(join(home, 'queue', queue)).length;
  while (holds('incoming') + holds('active') > 0) await delay(10);
  must(holds('deferred') === 0, `mail is left in ${home}`);
}

const servers = [behind];
const contenders = {};
for (const [name, lines] of Object.entries(fronts)) {
  const front = await startPostfix(folder, name.replaceAll(' ', '-'), lines);
  servers.push(front);
  contenders[name] = async () => {
    const took = await seconds(async () => {
      await messageLoad({ ...load, port: front.port });
      await emptied(front);
    });
    await emptied(behind);
    return load.messages / took;
  };
}
const figures = await alternate(contenders);
for (const server of servers) server.stop();
for (const child of [relay, edge]) await stopServer(child);

report({
  name: 'proxy-postfix',
  unit: 'messages/s',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: figures['rollcall proxy'] / figures['relay that reads nothing'],
  target: { atLeast: 0.7 },
});
