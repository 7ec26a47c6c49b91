/**
 * A run that reads changes: 100 people of 1 M got an alias. Beside it what the server itself takes for the same two searches
 * (ldapsearch), and a run with nothing to do; the target speaks of what the product takes beyond the server.
 */

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { alternate, must, report, seconds } from './lib/measure.mjs';
import { stopServer } from './lib/processes.mjs';
import { configure, sync } from './lib/product.mjs';
import { addAliases, directory, ldapEnv, ldapSource, searchAll, startSlapd } from './lib/slapd.mjs';
import { workFolder } from './lib/workload.mjs';
import { execFileSync } from 'node:child_process';

const people = 1_000_000;
const changes = 100;
const folder = workFolder();
const slapd = await startSlapd(folder, people, { changes: true });
const product = await configure(folder, { sources: { staff: ldapSource(slapd.url) } });
const options = { env: ldapEnv };
const first = await sync(product, 'staff', options);
must(first.counts.added === people, `added ${first.counts.added} people`);
// the index by object is made by the first run of changes
await sync(product, 'staff', options);

function contextCsn() {
  const args = ['-x', '-D', directory.bindDn, '-w', directory.password, '-H', slapd.url, '-LLL'];
  const text = execFileSync('ldapsearch', [...args, '-s', 'base', '-b', directory.base, 'contextCSN'], {
    encoding: 'utf8',
  });
  return /contextCSN: (\S+)/.exec(text)?.[1];
}

/** Rows of the directory that a run may have written. */
function rows() {
  const db = new Database(join(product.dataDir, 'directory.db'), { readonly: true });
  const count = (table) => db.prepare(`SELECT COUNT(*) FROM ${table}`).pluck().get();
  const all = { claims: count('claim'), changes: count('change'), removals: count('removal') };
  db.close();
  return all;
}

let next = 0;
let before = contextCsn();
const figures = await alternate(
  {
    'ldapsearch, the same searches': async () => {
      before = contextCsn();
      addAliases(slapd.url, next, changes);
      next += changes;
      return seconds(() => {
        searchAll(slapd.url, `(entryCSN>=${before})`, ['entryUUID']);
        searchAll(slapd.url, `(&(entryCSN>=${before})(mail=*))`);
      });
    },
    'rollcall sync, 100 changes': async () => {
      const was = rows();
      const taken = await seconds(async () => {
        const { mode, counts } = await sync(product, 'staff', options);
        must(mode === 'changes' && counts.added === changes, `${mode}: ${JSON.stringify(counts)}`);
      });
      const is = rows();
      must(
        is.claims - was.claims === changes && is.changes - was.changes === changes,
        'other rows were written',
      );
      return taken;
    },
    'rollcall sync, nothing changed': () =>
      seconds(async () => {
        const { mode, state } = await sync(product, 'staff', options);
        must(mode === 'changes' && state === 'unchanged', `${mode} ${state}`);
      }),
  },
  { rounds: 5 },
);
await stopServer(slapd.child);

report({
  name: 'ldap-changes',
  unit: 's',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: figures['rollcall sync, 100 changes'] - figures['ldapsearch, the same searches'],
  valueUnit: 's beyond the server',
  target: { atMost: 2 },
});
