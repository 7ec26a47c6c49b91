/**
 * The real servers that the tests run against: Debian packages, installed when that is possible here.
 *
 * Promises: nothing is touched when every command is there; no daemon is started by an installation; what could not be
 * installed is returned with the reason, never thrown. The tests run private instances of their own, so the packages are
 * left unconfigured.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, say } from './setup.mjs';

const peers = [
  { name: 'Postfix', command: 'postfix', debian: 'postfix' },
  { name: 'slapd', command: 'slapd', debian: 'slapd' },
  { name: 'OpenLDAP tools', command: 'ldapmodify', debian: 'ldap-utils' },
  { name: 'sqlite3', command: 'sqlite3', debian: 'sqlite3' },
  { name: 'OpenSSL', command: 'openssl', debian: 'openssl' },
];

/** Servers live in sbin, which is not on the PATH of an ordinary user. */
export const pathWithSbin = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Installs what is missing if it may. Returns the names of what is still missing, and why. */
export function installPeers() {
  const wanted = missing();
  if (wanted.length === 0) return { missing: [], reason: '' };
  const reason = cannotInstall() ?? aptInstall(wanted.map((peer) => peer.debian));
  return {
    missing: missing().map((peer) => peer.name),
    reason: reason ?? 'the packages do not bring the command',
  };
}

function missing() {
  const folders = pathWithSbin.split(':').filter((folder) => folder !== '');
  return peers.filter((peer) => !folders.some((folder) => existsSync(join(folder, peer.command))));
}

function cannotInstall() {
  if (process.getuid?.() !== 0) return 'not running as root';
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return 'no apt-get here';
  return undefined;
}

/** Returns the reason of a failure, or undefined. */
function aptInstall(packages) {
  say(`Installing Debian packages for the tests: ${packages.join(' ')} …`);
  const log = join(root, '.cache/apt.log');
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(log, '');
  const release = holdDaemons();
  try {
    preseed();
    if (!haveLists()) apt(['update'], log);
    if (apt(['install', ...packages], log)) return undefined;
    // Old lists name versions that the mirror no longer has.
    apt(['update'], log);
    return apt(['install', ...packages], log) ? undefined : 'apt-get install failed, see .cache/apt.log';
  } finally {
    release();
  }
}

function apt(args, log) {
  const options = [
    '-q',
    '-y',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=120',
    '-o',
    'Dpkg::Use-Pty=0',
  ];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8', PATH: pathWithSbin };
  const command = 'log=$1; shift; exec apt-get "$@" >>"$log" 2>&1';
  return run('sh', ['-c', command, 'apt', log, ...options, ...args], { env }) === 0;
}

function haveLists() {
  const folder = '/var/lib/apt/lists';
  return (
    existsSync(folder) &&
    readdirSync(folder).some((file) => file.endsWith('_Packages') || file.includes('_Packages.'))
  );
}

/** No directory of slapd's own, a Postfix for this machine only. Where debconf is absent the defaults do as well. */
function preseed() {
  const answers =
    'slapd slapd/no_configuration boolean true\npostfix postfix/main_mailer_type select Local only\n';
  spawnSync('debconf-set-selections', [], { input: answers, stdio: ['pipe', 'ignore', 'ignore'] });
}

/** deb-policy: invoke-rc.d asks /usr/sbin/policy-rc.d, and 101 means do not start. Returns what undoes it. */
function holdDaemons() {
  const file = '/usr/sbin/policy-rc.d';
  if (existsSync(file)) return () => {};
  writeFileSync(file, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(file, { force: true });
}
