/**
 * Numbered SQL files, applied in order, each in its own transaction; `PRAGMA user_version` remembers how far.
 *
 * Promises: after a crash the database is at a whole version. Refuses a database that is newer than the program, and a
 * folder whose numbers have gaps.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Database from 'better-sqlite3';
import { RollcallError } from '../errors.js';

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The project's own migrations of one database, e.g. `directory`. */
export function migrationsFolder(database: string): string {
  return fileURLToPath(new URL(`../../migrations/${database}/`, import.meta.url));
}

function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).filter((name) => /^\d{4}-.*\.sql$/.test(name));
  return names.sort().map((name, index) => {
    const version = Number(name.slice(0, 4));
    if (version !== index + 1)
      throw new RollcallError('internal', `migrations: ${name} should have number ${index + 1}`);
    return { version, name, sql: readFileSync(`${folder}/${name}`, 'utf8') };
  });
}

export function schemaVersion(db: Database.Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}

function apply(db: Database.Database, migration: Migration): void {
  db.transaction(() => {
    // another process may have been faster while we waited for the lock
    if (schemaVersion(db) >= migration.version) return;
    db.exec(migration.sql);
    db.pragma(`user_version = ${migration.version}`);
  }).immediate();
}

/** Brings `db` to the newest version. Throws `store` when it is newer than the program. */
export function migrate(db: Database.Database, folder: string): void {
  const migrations = readMigrations(folder);
  const version = schemaVersion(db);
  if (version > migrations.length) {
    throw new RollcallError(
      'store',
      `${db.name} has schema version ${version}, but this Rollcall knows only up to ${migrations.length}`,
      { hint: 'Install the newer Rollcall again, or restore the backup made before the upgrade.' },
    );
  }
  for (const migration of migrations.slice(version)) apply(db, migration);
}
