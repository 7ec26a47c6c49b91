/** LDAP, 100 k entries: the first sync, and the same again with nothing changed, against the bare ldapts paged read. */

import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, must, report, seconds } from './lib/measure.mjs';
import { stopServer } from './lib/processes.mjs';
import { configure, rollcall, sync } from './lib/product.mjs';
import { ldapEnv, ldapSource, readBare, startSlapd } from './lib/slapd.mjs';
import { address, workFolder } from './lib/workload.mjs';

const people = 100_000;
const folder = workFolder();
const slapd = await startSlapd(folder, people);
const product = await configure(folder, { sources: { staff: ldapSource(slapd.url) } });
const options = { env: ldapEnv };

/** What must stay as it is when nothing has changed. */
async function published() {
  const { json } = await rollcall(product, ['check', address(1)], options);
  const { mtimeMs, size, ino } = statSync(join(product.dataDir, 'lookup.db'));
  return JSON.stringify({ generation: json.generation, mtimeMs, size, ino });
}

const figures = await alternate({
  'bare ldapts read': () => seconds(() => readBare(slapd.url, people)),
  'first sync': () => {
    rmSync(product.dataDir, { recursive: true, force: true });
    return seconds(async () => {
      const { counts } = await sync(product, 'staff', options);
      must(counts.added === people, `added ${counts.added} entries`);
    });
  },
  'nothing changed': async () => {
    const before = await published();
    const taken = await seconds(async () => {
      const { state } = await sync(product, 'staff', options);
      must(state === 'unchanged', `the second sync was ${state}`);
    });
    const after = await published();
    must(after === before, `something was written: ${before}, then ${after}`);
    return taken;
  },
});
await stopServer(slapd.child);

const bare = figures['bare ldapts read'];
for (const [name, what, atMost] of [
  ['ldap-100k', 'first sync', 3],
  ['ldap-unchanged', 'nothing changed', 1.8],
]) {
  report({
    name,
    unit: 's',
    rows: [
      { what: 'bare ldapts read', value: bare },
      { what, value: figures[what] },
    ],
    value: figures[what] / bare,
    target: { atMost },
  });
}
