/**
 * lookup.db held still: one generation for as long as it is open, whatever is published meanwhile, with a walk over all
 * keys of a tenant. For what reads the whole list; the edges have reader.ts.
 *
 * Promises: read-only; everything it tells is of one generation; the walk takes a bounded batch at a time. Publishers never
 * wait for it.
 */
import { statSync } from 'node:fs';
import type { LookupView } from './reader.js';
import { coverageIn, findIn, openSnapshot, readState } from './snapshot.js';

export interface FrozenLookup extends LookupView {
  generation(): number;
  /** All keys of a tenant, in order. */
  keys(tenant: string): Iterable<string>;
  close(): void;
}

const batch = 5000;

/** Throws when there is no snapshot, or none that can be read. */
export function openFrozenLookup(path: string): FrozenLookup {
  const opened = openSnapshot({ path }, statSync(path).ino);
  const { db } = opened;
  // the first read after BEGIN fixes the generation, so the state is read once more
  db.exec('BEGIN');
  Object.assign(opened, readState(db));
  const page = db
    .prepare<[number, string, number], string>(
      'SELECT key FROM recipient WHERE tenant = ? AND key > ? ORDER BY key LIMIT ?',
    )
    .pluck();

  function* keys(tenant: string): Iterable<string> {
    const id = opened.tenants.get(tenant);
    if (id === undefined) return;
    let last = '';
    for (;;) {
      const found = page.all(id, last, batch);
      yield* found;
      const end = found.at(-1);
      if (end === undefined || found.length < batch) return;
      last = end;
    }
  }

  return {
    find: (tenant, key) => findIn(opened, tenant, key),
    coverage: (tenant, source, domain) => coverageIn(opened, tenant, source, domain),
    generation: () => opened.generation,
    keys,
    close: () => db.close(),
  };
}
