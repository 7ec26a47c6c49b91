/**
 * A private, real OpenSMTPD for tests: own configuration, spool, users and loopback port. It relays for the test domains to
 * those recipients that its table has: it cannot ask anybody at RCPT, so the product hands it a table.
 *
 *     const opensmtpd = await startOpensmtpd({ domains: ['example.com'], lines: [`table recipients file:${path}`] });
 *     ...
 *     await opensmtpd.stop();
 *
 * The rule is `match from any for domain {…} rcpt-to <recipients>`. Needs root.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { havePrivateServer, peerPath, privateFolder, startPrivateServer } from './private-server.js';

export const haveOpensmtpd: boolean = havePrivateServer('OpenSMTPD', 'opensmtpd', ['usr/sbin/smtpd']);

export interface OpensmtpdOptions {
  readonly domains: readonly string[];
  /** Lines of smtpd.conf before its rule, as a person would paste them: the table `recipients`. */
  readonly lines: readonly string[];
  /** What the rule adds to `match from any for domain {…}`; default: `rcpt-to <recipients>`. */
  readonly match?: string;
  /** The loopback port that mail goes to; default: one where nobody listens. */
  readonly nextHop?: number;
}

export interface Opensmtpd {
  readonly port: number;
  readonly folder: string;
  /** What it has logged, for the message of a failing test. */
  log(): string;
  /** Runs `smtpctl update table NAME`: a file table is read again. */
  updateTable(name: string): Promise<void>;
  stop(): Promise<void>;
}

const users = { opensmtpd: 9992, opensmtpq: 9993 };

export async function startOpensmtpd(options: OpensmtpdOptions): Promise<Opensmtpd> {
  const folder = privateFolder('opensmtpd');
  const port = await freePort();
  for (const path of ['lib/opensmtpd/empty', 'spool/smtpd', 'run'])
    mkdirSync(join(folder, path), { recursive: true, mode: 0o711 });
  const config = join(folder, 'smtpd.conf');
  writeFileSync(config, smtpdConf(port, options), { mode: 0o600 });
  // it looks up the name of every client before it greets; without this it waits for servers of the machine's own
  writeFileSync(join(folder, 'resolv.conf'), 'lookup file\n', { mode: 0o644 });
  const server = await startPrivateServer({
    peer: 'opensmtpd',
    folder,
    port,
    command: ['usr/sbin/smtpd', '-d', '-f', config],
    users,
    mounts: [
      [join(folder, 'resolv.conf'), '/etc/resolv.conf'],
      [peerPath('opensmtpd', 'usr/libexec'), '/usr/libexec'],
      [join(folder, 'lib'), '/var/lib'],
      [join(folder, 'spool'), '/var/spool'],
      [join(folder, 'run'), '/run'],
    ],
  });
  return {
    port,
    folder,
    ...server,
    async updateTable(name) {
      await server.run(['usr/sbin/smtpctl', 'update', 'table', name], users.opensmtpq);
    },
  };
}

function smtpdConf(port: number, options: OpensmtpdOptions): string {
  const { domains, lines, match = 'rcpt-to <recipients>', nextHop = 1 } = options;
  const list = domains.map((domain) => `"${domain}"`).join(', ');
  return `${[
    ...lines,
    `listen on 127.0.0.1 port ${port} hostname mx.edge.test`,
    `action "relay" relay host smtp://127.0.0.1:${nextHop}`,
    `match from any for domain { ${list} } ${match} action "relay"`,
  ].join('\n')}\n`;
}
