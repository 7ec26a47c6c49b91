/**
 * LDAP, 100 k entries: the first sync, and the same again with nothing changed (everything read), against the bare ldapts paged read
 * and `ldapsearch -E pr=1000/noprompt`. The first sync also of a slapd without syncprov (no contextCSN), loaded a moment ago.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { alternate, must, report, seconds } from './lib/measure.mjs';
import { stopServer } from './lib/processes.mjs';
import { configure, sync } from './lib/product.mjs';
import { ldapEnv, ldapSource, readBare, searchAll, startSlapd } from './lib/slapd.mjs';
import { workFolder } from './lib/workload.mjs';

const people = 100_000;
const folder = workFolder();
const slapd = await startSlapd(folder, people, { changes: true });
const product = await configure(folder, { sources: { staff: ldapSource(slapd.url) } });
const options = { env: ldapEnv };

const plainFolder = join(folder, 'plain');
mkdirSync(plainFolder);
const plainSlapd = await startSlapd(plainFolder, people);
const plainProduct = await configure(plainFolder, { sources: { staff: ldapSource(plainSlapd.url) } });

function firstSync(of) {
  rmSync(of.dataDir, { recursive: true, force: true });
  return seconds(async () => {
    const { counts } = await sync(of, 'staff', options);
    must(counts.added === people, `added ${counts.added} entries`);
  });
}

/** What must stay as it is when nothing has changed: the generation, and every row that says who exists. */
function written() {
  const directory = new Database(join(product.dataDir, 'directory.db'), { readonly: true });
  const lookup = new Database(join(product.dataDir, 'lookup.db'), { readonly: true });
  const count = (db, table) => db.prepare(`SELECT COUNT(*) FROM ${table}`).pluck().get();
  const generation = (db) =>
    Number(db.prepare("SELECT value FROM meta WHERE name = 'generation'").pluck().get());
  const state = {
    generations: [generation(directory), generation(lookup)],
    claims: count(directory, 'claim'),
    changes: count(directory, 'change'),
    recipients: count(lookup, 'recipient'),
  };
  directory.close();
  lookup.close();
  return JSON.stringify(state);
}

const figures = await alternate({
  'bare ldapts read': () => seconds(() => readBare(slapd.url, people)),
  ldapsearch: () => seconds(() => searchAll(slapd.url)),
  'first sync': () => firstSync(product),
  'ldapsearch, no syncprov': () => seconds(() => searchAll(plainSlapd.url)),
  'first sync, no syncprov': () => firstSync(plainProduct),
  'nothing changed': async () => {
    const before = written();
    const taken = await seconds(async () => {
      const { state } = await sync(product, 'staff', { ...options, full: true });
      must(state === 'unchanged', `the second sync was ${state}`);
    });
    const after = written();
    must(after === before, `something was written: ${before}, then ${after}`);
    return taken;
  },
});
await stopServer(slapd.child);
await stopServer(plainSlapd.child);

for (const [name, against, what, atMost] of [
  ['ldap-100k', 'bare ldapts read', 'first sync', 3],
  ['ldap-unchanged', 'bare ldapts read', 'nothing changed', 1.8],
  ['ldap-first-sync', 'ldapsearch', 'first sync', 4],
  ['ldap-first-sync-plain', 'ldapsearch, no syncprov', 'first sync, no syncprov', 4],
]) {
  report({
    name,
    unit: 's',
    rows: [
      { what: against, value: figures[against] },
      { what, value: figures[what] },
    ],
    value: figures[what] / figures[against],
    target: { atMost },
  });
}
