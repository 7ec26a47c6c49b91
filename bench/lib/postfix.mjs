/** A private Postfix that relays for the domain of the lists; only the check of recipients differs between contenders. */

import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { freePort } from './processes.mjs';
import { domain } from './workload.mjs';

const started = new Set();
process.once('exit', () => {
  for (const stop of started) stop();
});
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** `lines` of main.cf and `services` of master.cf come last. Returns { port, folder, stop }. Needs root. */
export async function startPostfix(folder, name, lines, services = []) {
  const home = join(folder, name);
  for (const part of ['etc', 'queue', 'data']) mkdirSync(join(home, part), { recursive: true, mode: 0o755 });
  const uid = Number(/^postfix:[^:]*:(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))[1]);
  const log = join(home, 'maillog');
  writeFileSync(log, '');
  for (const path of [join(home, 'data'), log]) chownSync(path, uid, -1);
  const port = await freePort();
  writeFileSync(join(home, 'etc/main.cf'), `${[...main(home), ...lines].join('\n')}\n`);
  writeFileSync(join(home, 'etc/master.cf'), `${[...master(port), ...services].join('\n')}\n`);
  const postfix = (command) =>
    execFileSync('postfix', ['-c', join(home, 'etc'), command], { env, stdio: 'ignore' });
  postfix('start');
  const stop = () => {
    if (started.delete(stop)) postfix('stop');
  };
  started.add(stop);
  await opens(port, log);
  return { port, folder: home, stop };
}

async function opens(port, log) {
  for (let attempt = 0; attempt < 500; attempt++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`Postfix does not listen: ${readFileSync(log, 'utf8').slice(-2000)}`);
}

function main(home) {
  return [
    'compatibility_level = 3.6',
    `queue_directory = ${home}/queue`,
    `data_directory = ${home}/data`,
    'mail_owner = postfix',
    'setgid_group = postdrop',
    `maillog_file = ${home}/maillog`,
    `maillog_file_prefixes = ${home}`,
    'myhostname = edge.bench.invalid',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'mynetworks = 127.0.0.9/32',
    'mydestination =',
    'alias_maps =',
    'alias_database =',
    'local_recipient_maps =',
    'local_transport = error:5.1.1 no local mail',
    `relay_domains = ${domain}`,
    'relay_recipient_maps =',
    'relay_transport = discard:',
    'disable_dns_lookups = yes',
    'smtp_host_lookup = native',
    'smtpd_peername_lookup = no',
    'smtpd_relay_restrictions = reject_unauth_destination',
    'smtpd_recipient_restrictions =',
    'show_user_unknown_table_name = no',
    'recipient_delimiter =',
    'smtpd_error_sleep_time = 0',
    'smtpd_soft_error_limit = 1000000',
    'smtpd_hard_error_limit = 1000000',
    'smtpd_junk_command_limit = 1000000',
    'smtpd_recipient_limit = 100000',
    'smtpd_recipient_overshoot_limit = 1000000',
    'smtpd_client_connection_count_limit = 0',
    'smtpd_client_event_limit_exceptions = 127.0.0.0/8',
    'in_flow_delay = 0',
  ];
}

function master(port) {
  return [
    `127.0.0.1:${port} inet n - n - 100 smtpd`,
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush',
    'proxymap unix - - n - - proxymap',
    'proxywrite unix - - n - 1 proxymap',
    'smtp unix - - n - - smtp',
    'relay unix - - n - - smtp',
    'showq unix n - n - - showq',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'discard unix - - n - - discard',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
  ];
}
