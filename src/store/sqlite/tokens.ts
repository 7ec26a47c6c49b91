/**
 * API tokens. A token is 256 random bits, shown once; only its SHA-256 is kept, so the database cannot give it away, and
 * a slow password hash would buy nothing against a random secret.
 */
import { createHash, randomBytes } from 'node:crypto';
import { RollcallError } from '../../errors.js';
import type { TokenRecord, TokenRole } from '../store.js';
import { recordAudit } from './audit.js';
import { tenantIdOf } from './catalog.js';
import type { Db } from './open.js';

const prefix = 'rollcall_';

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export interface NewToken {
  readonly tenant: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly actor: string;
  readonly now: number;
}

/** Creates a token and returns it: the only time it can be seen. Throws `conflict` when the name is taken. */
export function createToken(db: Db, create: NewToken): string {
  const token = prefix + randomBytes(32).toString('base64url');
  db.transaction(() => {
    const tenant = tenantIdOf(db, create.tenant);
    const { changes } = db
      .prepare(
        'INSERT INTO token (tenant, name, hash, role, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(tenant, create.name, hashOf(token), create.role, create.now);
    if (changes === 0) {
      throw new RollcallError('conflict', `there is already a token named ${create.name}`, {
        hint: `Choose another name, or run \`rollcall token revoke ${create.name}\` first.`,
      });
    }
    audit(db, tenant, create, 'token create', `${create.name} (${create.role})`);
  }).immediate();
  return token;
}

function audit(
  db: Db,
  tenantId: number,
  by: { actor: string; now: number },
  action: string,
  detail: string,
): void {
  recordAudit(db, { ref: { tenantId }, at: by.now, actor: by.actor, action, detail });
}

interface TokenRow {
  readonly tenant: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly created_at: number;
}

const select =
  'SELECT t.name AS tenant, k.name, k.role, k.created_at FROM token k JOIN tenant t ON t.tenant = k.tenant';

function toRecord(row: TokenRow): TokenRecord {
  return { tenant: row.tenant, name: row.name, role: row.role, createdAt: row.created_at };
}

/** Whose token this is, or undefined. Looked up by its hash, so that timing tells nothing of stored tokens. */
export function verifyToken(db: Db, token: string): TokenRecord | undefined {
  const row = db.prepare<[string], TokenRow>(`${select} WHERE k.hash = ?`).get(hashOf(token));
  return row && toRecord(row);
}

export function listTokens(db: Db, tenant?: string): TokenRecord[] {
  return db
    .prepare<[string | null, string | null], TokenRow>(
      `${select} WHERE (? IS NULL OR t.name = ?) ORDER BY t.name, k.name`,
    )
    .all(tenant ?? null, tenant ?? null)
    .map(toRecord);
}

/** Returns false when there is no token of that name. */
export function revokeToken(
  db: Db,
  revoke: { tenant: string; name: string; actor: string; now: number },
): boolean {
  return db
    .transaction(() => {
      const tenant = tenantIdOf(db, revoke.tenant);
      const { changes } = db
        .prepare('DELETE FROM token WHERE tenant = ? AND name = ?')
        .run(tenant, revoke.name);
      if (changes > 0) audit(db, tenant, revoke, 'token revoke', revoke.name);
      return changes > 0;
    })
    .immediate();
}
