/**
 * A run that reads changes from Microsoft Graph: 100 users of 1 M got an alias. The server is the tests' local Graph; what its
 * answers take is taken off, and so is nothing else: HTTPS, tokens and the start of the process are the product's.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alternate, must, report, seconds } from './lib/measure.mjs';
import { configure, sync } from './lib/product.mjs';
import { workFolder } from './lib/workload.mjs';

const users = 1_000_000;
const changes = 100;
const folder = workFolder();
const script = fileURLToPath(new URL('lib/graph-child.mjs', import.meta.url));
const child = fork(script, [join(folder, 'graph'), String(users)], {
  execArgv: ['--max-old-space-size=8192'],
});
const [at] = await once(child, 'message');

/** Changes so many users; returns the seconds that answers took since the last call. */
async function tell(change) {
  child.send({ change });
  const [{ spent }] = await once(child, 'message');
  return spent;
}

const source = {
  kind: 'graph',
  tenantId: at.tenantId,
  clientId: at.clientId,
  clientSecret: { file: join(folder, 'graph/secret') },
  endpoints: { login: at.loginOrigin, graph: at.origin },
  ca: at.ca,
  proxy: 'none',
  guard: { growthPercent: 1_000_000 },
};
const product = await configure(folder, { sources: { entra: source } });
const firstSync = await seconds(async () => {
  const { counts } = await sync(product, 'entra');
  must(counts.added === users, `added ${counts.added} users`);
});
await sync(product, 'entra');
await tell(0);

const beyond = (changed) => async () => {
  await tell(changed);
  const taken = await seconds(async () => {
    const { mode, counts } = await sync(product, 'entra');
    must(mode === 'changes' && counts.added === changed, `${mode}: ${JSON.stringify(counts)}`);
  });
  return taken - (await tell(0));
};
const figures = await alternate({
  '100 changes, beyond the server': beyond(changes),
  'nothing changed, beyond the server': beyond(0),
});
child.disconnect();

report({
  name: 'graph-changes',
  unit: 's',
  rows: [
    { what: 'first sync of 1 M users', value: firstSync },
    ...Object.entries(figures).map(([what, value]) => ({ what, value })),
  ],
  value: figures['100 changes, beyond the server'],
  valueUnit: 's beyond the server',
  target: { atMost: 2 },
});
