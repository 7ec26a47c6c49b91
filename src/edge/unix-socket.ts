/**
 * Unix sockets as listen addresses: a socket file left over by a killed process is removed, one that somebody listens on
 * never is, and neither is a file that is no socket.
 */
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Removes `path` when it is a socket that refuses connections. True when it was removed. */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true || (await isAnswered(path))) return false;
  await unlink(path);
  return true;
}

/** Whether a process listens there; only a refused connection proves that none does. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
