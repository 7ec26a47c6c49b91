/** Binds the server to an address; a unix socket past the stale file of a killed process, and for owner and group only. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { RollcallError } from '../errors.js';
import type { HttpAddress } from './options.js';

/** Returns where it listens, with the port that the system gave. Throws `config` that says what stands in the way. */
export async function bindHttp(server: Server, address: HttpAddress): Promise<HttpAddress> {
  if ('path' in address) await removeStale(address.path);
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error): void => reject(bindError(address, error));
    server.once('error', refuse);
    server.listen(address, () => {
      server.removeListener('error', refuse);
      resolve();
    });
  });
  if ('path' in address) {
    await chmod(address.path, 0o660);
    return address;
  }
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { host: address.host, port: bound.port } : address;
}

const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Something listens there already: stop it, or choose another address.',
  EACCES: 'Ports below 1024 and the folder of a socket need the right: choose a higher port, or grant it.',
  EADDRNOTAVAIL: 'This machine has no such address.',
  ENOENT: 'The folder of the socket does not exist: create it.',
};

function bindError(address: HttpAddress, cause: NodeJS.ErrnoException): RollcallError {
  const where = 'path' in address ? `unix:${address.path}` : `${address.host} port ${address.port}`;
  const code = cause.code ?? cause.message;
  return new RollcallError('config', `http cannot listen on ${where} (${code})`, {
    cause,
    hint: hints[code] ?? '',
  });
}

/** Removes a socket file that nobody listens on, and nothing else. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true || !(await isRefused(path))) return;
  await unlink(path);
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
