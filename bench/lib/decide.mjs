/**
 * `decide` and the bare row read on one lookup.db, in this process. The one place in bench/ that knows the insides: the
 * composition of edge.ts, without its listeners and with nobody to tell of the answers.
 */

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { root } from './workload.mjs';

const dist = (file) => import(join(root, 'dist', file));

export async function openDecide(product) {
  const file = join(product.dataDir, 'lookup.db');
  const db = new Database(file, { readonly: true });
  db.pragma('cache_size = -16384'); // as much as the edge takes
  const statement = db.prepare('SELECT slot, slots FROM recipient WHERE tenant = 1 AND key = ?').raw();

  const { openLookup } = await dist('lookup/reader.js');
  const lookup = openLookup({ path: file });
  lookup.refresh();
  return { readRow: (key) => statement.get(key), decide: await composeDecide(product, lookup) };
}

async function composeDecide(product, lookup) {
  const { loadConfig } = await dist('config/load.js');
  const { domainTableOf } = await dist('compose/domains.js');
  const { createDecide } = await dist('policy/decide.js');
  const { createReference } = await dist('policy/reference.js');
  const table = domainTableOf(loadConfig(product.file).config);
  return createDecide({ domains: () => table, lookup, now: Date.now, reference: () => createReference() });
}
