/**
 * A loopback TCP port that nobody listens on, for servers that take none but a fixed one.
 *
 * From below the ports that the system gives to connections and to `listen(0)` (from 32768 on, ip_local_port_range): one of
 * those could be taken between here and the server's start. Each worker of the tests has ports of its own.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

const [lowest, perWorker, workers] = [10_000, 5_000, 4];
const worker = Number(process.env['VITEST_POOL_ID'] ?? '1') % workers;
let last = process.pid % perWorker;

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < perWorker; tries += 1) {
    last = (last + 1) % perWorker;
    const port = lowest + worker * perWorker + last;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port is free from ${lowest + worker * perWorker} on`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}
