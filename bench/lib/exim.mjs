/** A private Exim that relays for the domain of the lists; only the check of recipients differs between contenders. */

import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peersFolder, unpackPeers } from '../../scripts/peers-unpacked.mjs';
import { freePort, startServer } from './processes.mjs';
import { domain } from './workload.mjs';

const user = 'Debian-exim';
const uid = 9991;
/** Where its unpacked files stand inside its namespace. */
const at = '/mnt';

/** `check`: lines of the RCPT ACL. Returns { port, child }. Needs root. */
export async function startExim(folder, name, check) {
  const reason = unpackPeers();
  if (reason !== undefined) throw new Error(reason);
  const home = join(folder, name);
  for (const part of ['spool', 'log']) {
    mkdirSync(join(home, part), { recursive: true });
    chownSync(join(home, part), uid, uid);
  }
  chmodSync(home, 0o755);
  for (const [file, line] of [
    ['passwd', `${user}:x:${uid}:${uid}::/:/usr/sbin/nologin`],
    ['group', `${user}:x:${uid}:`],
  ]) {
    const others = readFileSync(`/etc/${file}`, 'utf8')
      .split('\n')
      .filter((entry) => !entry.startsWith(user));
    writeFileSync(join(home, file), `${[...others.filter(Boolean), line].join('\n')}\n`);
  }
  const port = await freePort();
  const config = join(home, 'exim.conf');
  writeFileSync(config, configuration(home, port, check), { mode: 0o644 });
  const mounts = [
    [join(peersFolder, 'exim'), at],
    [join(home, 'passwd'), '/etc/passwd'],
    [join(home, 'group'), '/etc/group'],
  ];
  const script = `${mounts.map(([from, over]) => `mount --bind ${from} ${over}`).join(' && ')} && exec ${at}/usr/sbin/exim4 -C ${config} -bdf`;
  const lib = readdirSync(join(peersFolder, 'exim/usr/lib')).filter((entry) => entry.includes('-linux-'));
  const env = {
    LD_LIBRARY_PATH: ['usr/lib', ...lib.map((entry) => `usr/lib/${entry}`)]
      .map((path) => join(at, path))
      .join(':'),
  };
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script];
  const child = await startServer('unshare', args, { port, log: join(home, 'output'), env });
  return { port, child };
}

function configuration(home, port, check) {
  return `${[
    `exim_path = ${at}/usr/sbin/exim4`,
    'keep_environment = LD_LIBRARY_PATH',
    'primary_hostname = edge.bench.invalid',
    `daemon_smtp_ports = ${port}`,
    'local_interfaces = 127.0.0.1',
    `spool_directory = ${home}/spool`,
    `log_file_path = ${home}/log/%slog`,
    `pid_file_path = ${home}/exim.pid`,
    'check_spool_space = 0',
    'tls_advertise_hosts =',
    'disable_ipv6 = true',
    'host_lookup =',
    'rfc1413_hosts =',
    'queue_only = true',
    'message_logs = false',
    'never_users =',
    'smtp_accept_max = 400',
    'smtp_accept_max_nonmail = 1000000',
    'smtp_max_unknown_commands = 1000000',
    'recipients_max = 100000',
    'pipelining_advertise_hosts = *',
    `domainlist relay_to_domains = ${domain}`,
    'acl_smtp_rcpt = acl_check_rcpt',
    'begin acl',
    'acl_check_rcpt:',
    '  deny',
    '    message = 5.7.1 relay not permitted',
    '    !domains = +relay_to_domains',
    ...check,
    '  accept',
  ].join('\n')}\n`;
}
