/** Memory: control at its highest during a sync of 1 M rows; the edge, resident, after questions all over 10 M recipients. */

import { setTimeout as delay } from 'node:timers/promises';
import { must, progress, report } from './lib/measure.mjs';
import { policyLoad } from './lib/policy-load.mjs';
import { memoryMb, stopServer } from './lib/processes.mjs';
import { configure, rollcall, startControl, startEdge, sync } from './lib/product.mjs';
import { csvList, questions, workFolder } from './lib/workload.mjs';

async function controlDuringSync(rows) {
  const path = await csvList(rows);
  // Every second: the sync starts by itself, in the worker thread of control.
  const list = { kind: 'csv', path, schedule: '* * * * * *', jitter: '0s' };
  const product = await configure(workFolder(), { sources: { list } });
  const control = await startControl(product);
  const deadline = performance.now() + 600_000;
  for (;;) {
    await delay(1000);
    must(control.exitCode === null && performance.now() < deadline, 'control did not finish the sync');
    const { status, json } = await rollcall(product, ['check', questions(1, rows)[0]]);
    if (status === 0 && json.action === 'accept') break;
  }
  const highest = memoryMb(control.pid, 'VmHWM');
  await stopServer(control);
  return highest;
}

async function edgeAt(rows) {
  const path = await csvList(rows);
  const product = await configure(workFolder(), { sources: { list: { kind: 'csv', path } } });
  await sync(product, 'list');
  const edge = await startEdge(product);
  const load = {
    port: product.ports.policy,
    count: 300_000,
    connections: 20,
    recipients: questions(300_000, rows),
  };
  const { actions } = await policyLoad(load);
  must(actions['550'] === load.count / 2, `wrong answers: ${JSON.stringify(actions)}`);
  const memory = { resident: memoryMb(edge.pid, 'VmRSS'), anonymous: memoryMb(edge.pid, 'RssAnon') };
  await stopServer(edge);
  return memory;
}

const control = await controlDuringSync(1_000_000);
progress(`control: ${control.toFixed(0)} MB`);
report({
  name: 'memory-control',
  unit: 'MB',
  rows: [{ what: 'control, highest during a sync of 1 M rows', value: control }],
  value: control,
  valueUnit: 'MB',
  target: { atMost: 400 },
});

const edge = await edgeAt(10_000_000);
report({
  name: 'memory-edge',
  unit: 'MB',
  rows: [
    { what: 'edge, resident at 10 M recipients', value: edge.resident },
    { what: 'of it without mapped files', value: edge.anonymous },
  ],
  value: edge.resident,
  valueUnit: 'MB',
  target: { atMost: 150 },
});
