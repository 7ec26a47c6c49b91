/**
 * Binding a server to a listen address: TCP, or a unix socket with its mode, past the stale file of a killed process.
 */
import { chmod } from 'node:fs/promises';
import type { Server } from 'node:net';
import { RollcallError } from '../errors.js';
import { removeStaleSocket } from './unix-socket.js';

export type ListenAddress =
  | { readonly host: string; readonly port: number }
  /** `mode` of the socket file; default 0660. */
  | { readonly path: string; readonly mode?: number };

/** Listens there, or throws RollcallError `config` that says what stands in the way. */
export async function bind(server: Server, address: ListenAddress, edge: string): Promise<void> {
  try {
    await tryListen(server, address);
  } catch (error) {
    const inUse = 'path' in address && codeOf(error) === 'EADDRINUSE';
    const stale = inUse && (await removeStaleSocket(address.path));
    if (!stale) throw bindError(error, address, edge);
    await tryListen(server, address);
  }
  if ('path' in address) await chmod(address.path, address.mode ?? 0o660);
}

function tryListen(server: Server, address: ListenAddress): Promise<void> {
  const where = 'path' in address ? { path: address.path } : address;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog: 1024 }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

const bindHints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Something listens there already: stop it, or choose another address.',
  EACCES: 'Ports below 1024 and the folder of a socket need the right: choose a higher port, or grant it.',
  EADDRNOTAVAIL: 'This machine has no such address.',
  ENOENT: 'The folder of the socket does not exist: create it.',
};

function bindError(error: unknown, address: ListenAddress, edge: string): RollcallError {
  const code = codeOf(error);
  const what = `the ${edge} edge cannot listen on ${describeAddress(address)} (${code})`;
  return new RollcallError('config', what, { hint: bindHints[code] ?? '', cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

/** What was really bound: port 0 resolved. */
export function boundAddress(server: Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? asked : { host: bound.address, port: bound.port };
}

/** `127.0.0.1:2525`, `[::1]:2525`, `unix:/run/x.sock`. */
export function describeAddress(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Stops accepting; resolves when the last connection is gone. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
