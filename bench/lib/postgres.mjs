/** A private PostgreSQL with one table of addresses: own folder, own port, nothing of the system's touched. */

import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer } from './processes.mjs';

const releases = '/usr/lib/postgresql';

/** Where the server's commands are; undefined when it is not installed. */
export function postgresBin() {
  const newest = existsSync(releases) ? readdirSync(releases).sort().at(-1) : undefined;
  return newest === undefined ? undefined : join(releases, newest, 'bin');
}

/** Loads the addresses into `recipient(address text primary key)`. Returns { port, child }. Needs root. */
export async function startPostgres(folder, addresses) {
  const bin = postgresBin();
  const home = join(folder, 'postgres');
  mkdirSync(home);
  const uid = Number(/^postgres:[^:]*:(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))[1]);
  chownSync(home, uid, -1);
  const as = (command, args, options) =>
    execFileSync('runuser', ['-u', 'postgres', '--', join(bin, command), ...args], { cwd: home, ...options });
  const data = join(home, 'data');
  as('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'], {
    stdio: 'ignore',
  });
  const port = await freePort();
  const settings = `port=${port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='${home}'\nfsync=off\nmax_connections=300\nshared_buffers=128MB\n`;
  writeFileSync(join(data, 'postgresql.auto.conf'), settings);
  const child = await startServer('runuser', ['-u', 'postgres', '--', join(bin, 'postgres'), '-D', data], {
    port,
    cwd: home,
    log: join(home, 'log'),
  });
  const sql =
    'CREATE TABLE recipient(address text PRIMARY KEY);\nCOPY recipient FROM STDIN;\n' +
    `${addresses.join('\n')}\n\\.\nANALYZE recipient;\n`;
  as('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres'], {
    input: sql,
    stdio: ['pipe', 'ignore', 2],
  });
  return { port, child };
}
