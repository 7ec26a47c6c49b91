/**
 * A private, real Exim for tests: own configuration, spool, log, users and loopback port. It relays for the test domains and
 * asks the product about their recipients, as the lines of its RCPT ACL say.
 *
 *     const exim = await startExim({ domains: ['example.com'], acl: 'require verify = recipient/callout=10s', nextHop: port });
 *     ...
 *     await exim.stop();
 *
 * Before the lines stands the refusal to relay, after them `accept`, as in Exim's own default ACL. Needs root.
 */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { havePrivateServer, peerRoot, privateFolder, startPrivateServer } from './private-server.js';

export const haveExim: boolean = havePrivateServer('Exim', 'exim', ['usr/sbin/exim4']);

export interface EximOptions {
  readonly domains: readonly string[];
  /** Lines for the ACL of RCPT, as a person would paste them. */
  readonly acl: string | readonly string[];
  /** The loopback port that mail (and a callout) goes to; default: one where nobody listens. */
  readonly nextHop?: number;
  /** Lines of the main section. */
  readonly main?: readonly string[];
  /** Routers and transports before its own. */
  readonly routers?: readonly string[];
  readonly transports?: readonly string[];
  /** Whether accepted mail is sent on; default: it stays in the queue. */
  readonly deliver?: boolean;
}

export interface Exim {
  readonly port: number;
  readonly folder: string;
  /** What it has logged, for the message of a failing test. */
  log(): string;
  stop(): Promise<void>;
}

const user = 'Debian-exim';
const uid = 9991;

export async function startExim(options: EximOptions): Promise<Exim> {
  const folder = privateFolder('exim');
  const port = await freePort();
  for (const name of ['spool', 'log']) {
    mkdirSync(join(folder, name));
    chownSync(join(folder, name), uid, uid);
  }
  const config = join(folder, 'exim.conf');
  writeFileSync(config, eximConf(folder, port, options), { mode: 0o644 });
  const server = await startPrivateServer({
    peer: 'exim',
    folder,
    port,
    command: ['usr/sbin/exim4', '-C', config, '-bdf'],
    users: { [user]: uid },
    logFiles: ['main', 'reject', 'panic'].map((name) => join(folder, `log/${name}log`)),
  });
  return { port, folder, ...server };
}

function eximConf(folder: string, port: number, options: EximOptions): string {
  const { domains, acl, nextHop = 1, main = [], routers = [], transports = [], deliver = false } = options;
  return `${[
    `exim_path = ${peerRoot}/usr/sbin/exim4`,
    'keep_environment = LD_LIBRARY_PATH',
    'primary_hostname = mx.edge.test',
    `daemon_smtp_ports = ${port}`,
    'local_interfaces = 127.0.0.1',
    `spool_directory = ${folder}/spool`,
    `log_file_path = ${folder}/log/%slog`,
    `pid_file_path = ${folder}/exim.pid`,
    'check_spool_space = 0',
    'tls_advertise_hosts =',
    'disable_ipv6 = true',
    'host_lookup =',
    'rfc1413_hosts =',
    `queue_only = ${deliver ? 'false' : 'true'}`,
    'message_logs = false',
    'never_users =',
    // sessions of many unknown recipients are what the tests are made of
    'smtp_accept_max = 400',
    'smtp_accept_max_nonmail = 1000000',
    'smtp_max_unknown_commands = 1000000',
    'recipients_max = 100000',
    'smtputf8_advertise_hosts = *',
    'allow_utf8_domains = true',
    `domainlist relay_to_domains = ${domains.join(' : ')}`,
    'acl_smtp_rcpt = acl_check_rcpt',
    ...main,
    'begin acl',
    'acl_check_rcpt:',
    '  deny',
    '    message = 5.7.1 relay not permitted',
    '    !domains = +relay_to_domains',
    ...(typeof acl === 'string' ? [acl] : acl),
    '  accept',
    'begin routers',
    ...routers,
    'relay:',
    '  driver = manualroute',
    '  domains = +relay_to_domains',
    '  transport = remote_smtp',
    '  route_list = * 127.0.0.1 byname',
    '  self = send',
    '  host_find_failed = defer',
    'begin transports',
    ...transports,
    'remote_smtp:',
    '  driver = smtp',
    `  port = ${nextHop}`,
    '  allow_localhost = true',
    'begin retry',
    '* * F,1h,1m',
  ].join('\n')}\n`;
}
