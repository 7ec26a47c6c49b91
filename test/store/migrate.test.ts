import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, schemaVersion } from '../../src/store/migrate.js';
import { openDirectory, openDirectoryReader } from '../../src/store/sqlite/open.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-migrate-'));
  mkdirSync(join(folder, 'sql'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function step(name: string, sql: string): void {
  writeFileSync(join(folder, 'sql', name), sql);
}

test('steps are applied in order, once', () => {
  step('0001-a.sql', 'CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1);');
  step('0002-b.sql', 'UPDATE t SET n = n * 10;');
  const db = new Database(':memory:');
  migrate(db, join(folder, 'sql'));
  migrate(db, join(folder, 'sql'));
  expect(db.prepare('SELECT n FROM t').pluck().get()).toBe(10);
  expect(schemaVersion(db)).toBe(2);
});

test('a step that fails leaves the version before it, whole', () => {
  step('0001-a.sql', 'CREATE TABLE t (n INTEGER);');
  step('0002-b.sql', 'INSERT INTO t VALUES (1); INSERT INTO nowhere VALUES (1);');
  const db = new Database(':memory:');
  expect(() => {
    migrate(db, join(folder, 'sql'));
  }).toThrow(/nowhere/);
  expect(schemaVersion(db)).toBe(1);
  expect(db.prepare('SELECT COUNT(*) FROM t').pluck().get()).toBe(0);
});

test('a database newer than the program is refused and left alone', () => {
  const path = join(folder, 'directory.db');
  openDirectory(path).close();
  const db = new Database(path);
  db.pragma('user_version = 999');
  db.close();
  expect(() => openDirectory(path)).toThrow(/schema version 999, but this Rollcall knows only up to/);
  const again = new Database(path);
  expect(schemaVersion(again)).toBe(999);
  again.close();
});

test('a file that is no database is refused by name', () => {
  const path = join(folder, 'directory.db');
  writeFileSync(path, 'this is a letter, not a database '.repeat(200));
  expect(() => openDirectory(path)).toThrow(/cannot open .*directory\.db/);
});

test('a reader says what to do when there is no database yet', () => {
  expect(() => openDirectoryReader(join(folder, 'none.db'))).toThrow(/cannot read .*none\.db/);
});
