/**
 * Who asks: bearer tokens (RFC 6750), their roles, and callers on this machine.
 *
 * A token belongs to a tenant. What is another tenant's does not exist for it.
 */
import { isIPv4 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { verifyToken } from '../store/sqlite/tokens.js';
import type { Db } from '../store/sqlite/open.js';
import type { TokenRecord, TokenRole } from '../store/store.js';
import { HttpError } from './errors.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The token of the request, once it was checked. */
    caller: TokenRecord | null;
  }
}

/** Each role may do what those after it may. */
const ranks = { admin: 2, upload: 1, read: 0 } as const satisfies Record<TokenRole, number>;

const longestToken = 200;

/** The token of the Authorization header. Throws 401, with the challenge of RFC 6750 §3. */
export function authenticate(db: Db, request: FastifyRequest, reply: FastifyReply): TokenRecord {
  const header = request.headers.authorization;
  if (header === undefined) {
    void reply.header('www-authenticate', 'Bearer realm="rollcall"');
    throw new HttpError(401, 'unauthorized', 'a token is needed', 'Send `Authorization: Bearer TOKEN`.');
  }
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(header) ?? [];
  const caller = token === '' || token.length > longestToken ? undefined : verifyToken(db, token);
  if (caller !== undefined) return caller;
  void reply.header('www-authenticate', 'Bearer realm="rollcall", error="invalid_token"');
  throw new HttpError(
    401,
    'unauthorized',
    'the token is not known',
    '`rollcall token list` shows those there are; `rollcall token create NAME` makes one.',
  );
}

/** The caller, if its role is high enough. Throws 403 otherwise. */
export function requireRole(request: FastifyRequest, reply: FastifyReply, role: TokenRole): TokenRecord {
  const { caller } = request;
  if (caller === null) throw new HttpError(401, 'unauthorized', 'a token is needed');
  if (ranks[caller.role] >= ranks[role]) return caller;
  void reply.header('www-authenticate', 'Bearer realm="rollcall", error="insufficient_scope"');
  const hint = `Create a token with \`rollcall token create NAME --role ${role}\`.`;
  throw new HttpError(403, 'unauthorized', `a token of role ${caller.role} may not do this`, hint);
}

const forwarding = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** Whether the caller is on this machine, and no proxy stands in for somebody else. */
export function isLocalCaller(request: FastifyRequest): boolean {
  if (forwarding.some((name) => request.headers[name] !== undefined)) return false;
  const address = request.raw.socket.remoteAddress;
  if (address === undefined) return true; // a unix socket
  const bare = address.replace(/^::ffff:/, '');
  return bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}
