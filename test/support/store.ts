/** A look into directory.db from outside, read-only: what is really in there, whatever the product says about it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export interface StoreState {
  readonly generation: number;
  readonly claims: number;
  /** SHA-256 over every claim in order, all columns but the run that made it. */
  readonly hash: string;
}

/** Opens the store as it is now. */
export function readStore(dataDir: string): StoreState {
  return withStore(dataDir, (db) =>
    db.transaction(() => {
      const hash = createHash('sha256');
      let claims = 0;
      for (const row of db
        .prepare<[], string>(
          `SELECT json_array(tenant, source, key, object, attribute, kind, flags, spelling) FROM claim
           ORDER BY tenant, source, key, object`,
        )
        .pluck()
        .iterate()) {
        hash.update(`${row}\n`);
        claims += 1;
      }
      const generation = Number(
        db.prepare<[], string>("SELECT value FROM meta WHERE name = 'generation'").pluck().get(),
      );
      return { generation, claims, hash: hash.digest('hex') };
    })(),
  );
}

export function withStore<T>(dataDir: string, look: (db: Database.Database) => T): T {
  const db = new Database(join(dataDir, 'directory.db'), { readonly: true, fileMustExist: true });
  try {
    return look(db);
  } finally {
    db.close();
  }
}
