/**
 * Writes an export as an SQLite file, for Postfix `sqlite:` and for Exim. Nothing else ever writes to it: each export is a
 * new file that takes the old one's place, so that no reader ever meets a lock.
 *
 * Promises: rollback journal, not WAL (a reader of a WAL database must be able to write beside it); whole and on disk when
 * `write` returns.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { ExportRow } from './row.js';
import type { Stamp } from './stamp.js';
import type { WriteOptions, Writer, Written } from './writer.js';

/** `RCex`: tells our files from other databases. */
const applicationId = 0x52_43_65_78;

const schema = `
  CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE domain (domain TEXT NOT NULL PRIMARY KEY, addresses INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE recipient (address TEXT NOT NULL PRIMARY KEY, word TEXT NOT NULL, action TEXT NOT NULL) WITHOUT ROWID;
`;

export const sqliteWriter: Writer = { saysOnlyExists: false, write, read, isSame };

function write(options: WriteOptions): Written {
  const { temporary, head } = options;
  const hash = createHash('sha256');
  const db = new Database(temporary);
  try {
    // a crash leaves a file that nobody reads
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;');
    db.pragma(`application_id = ${applicationId}`);
    db.exec(schema);
    const insert = db.prepare('INSERT OR IGNORE INTO recipient VALUES (?, ?, ?)');
    const counts = db.transaction(() => {
      for (const row of options.rows) {
        const action = actionOf(row);
        hash.update(`${row.local}@${row.domain}\n${action}\n`);
        for (const address of asAsked(`${row.local}@${row.domain}`)) insert.run(address, row.word, action);
      }
      return fillDomains(db, options);
    })();
    hash.update(JSON.stringify(counts));
    const stamp: Stamp = { ...head, sha256: hash.digest('hex'), domains: counts };
    const meta = db.prepare('INSERT INTO meta VALUES (?, ?)');
    for (const name of ['name', 'format', 'generation', 'at', 'sha256'] as const) meta.run(name, stamp[name]);
    return { stamp, leftOut: 0, leftOutExamples: [] };
  } finally {
    db.close();
    syncToDisk(temporary);
  }
}

function fillDomains(db: Database.Database, { domains, countOf }: WriteOptions): Stamp['domains'] {
  const insert = db.prepare('INSERT INTO domain VALUES (?, ?)');
  return domains.map(({ domain }) => {
    const addresses = countOf(domain);
    insert.run(domain, addresses);
    return { domain, addresses };
  });
}

function actionOf({ word, reply }: ExportRow): string {
  return word === 'known' ? 'DUNNO' : `${reply.code} ${reply.status} ${reply.text}`;
}

/**
 * As it stands in the list, and as Postfix folds what it asks for: by full case folding (`ß` is `ss`), which lower case is
 * not. Two names that fold alike are one to Postfix anyway.
 */
function asAsked(address: string): Iterable<string> {
  return new Set([address, address.toUpperCase().toLowerCase().replaceAll('ς', 'σ')]);
}

function syncToDisk(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function read(path: string): ReturnType<Writer['read']> {
  if (!existsSync(path) || statSync(path).size === 0) return 'missing';
  try {
    const db = new Database(path, { readonly: true });
    try {
      if (db.pragma('application_id', { simple: true }) !== applicationId) return 'foreign';
      const rows = db.prepare<[], { name: string; value: string | number }>('SELECT * FROM meta').all();
      const value = (name: string): string => String(rows.find((row) => row.name === name)?.value ?? '');
      const domains = db.prepare<[], Stamp['domains'][number]>('SELECT domain, addresses FROM domain').all();
      return {
        ...{ name: value('name'), format: value('format'), at: value('at'), sha256: value('sha256') },
        ...{ generation: Number(value('generation')), domains },
      };
    } finally {
      db.close();
    }
  } catch {
    return 'foreign';
  }
}

/** Everything but generation and time, in one order: tables, then rows. */
const contents = [
  `SELECT name, sql FROM sqlite_schema ORDER BY name`,
  `SELECT name, value FROM meta WHERE name NOT IN ('generation', 'at') ORDER BY name`,
  'SELECT domain, addresses FROM domain ORDER BY domain',
  'SELECT address, word, action FROM recipient ORDER BY address',
];

function isSame(path: string, temporary: string): boolean {
  const databases: Database.Database[] = [];
  try {
    for (const file of [path, temporary]) databases.push(new Database(file, { readonly: true }));
    return contents.every((sql) => {
      const [one, other] = databases.map((db) => db.prepare<[], unknown[]>(sql).raw().iterate());
      return one !== undefined && other !== undefined && isSameRows(one, other);
    });
  } catch {
    // damaged, or locked by somebody who has no business there
    return false;
  } finally {
    for (const db of databases) db.close();
  }
}

function isSameRows(one: Iterator<unknown[]>, other: Iterator<unknown[]>): boolean {
  for (;;) {
    const [a, b] = [one.next(), other.next()];
    if (a.done === true || b.done === true) {
      one.return?.();
      other.return?.();
      return a.done === b.done;
    }
    if (a.value.some((value, column) => value !== b.value[column])) return stop(one, other);
  }
}

/** An iterator that is left open keeps its database from being closed. */
function stop(...iterators: Iterator<unknown>[]): false {
  for (const iterator of iterators) iterator.return?.();
  return false;
}
