/**
 * The real servers that the tests run against: Debian packages, installed when that is possible here; Exim, Sendmail and
 * OpenSMTPD unpacked (peers-unpacked.mjs); Haraka from npm (peers-haraka.mjs).
 *
 * Promises: nothing is touched when everything is there; no daemon is started by an installation; what could not be
 * installed is returned with the reason, never thrown. The tests run private instances of their own, so the packages are
 * left unconfigured. `node scripts/peers.mjs` installs them and nothing else, and needs no packages of npm: .ci/run does it beside
 * the set-up.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { apt, aptLog, cannotInstall, haveLists, pathWithSbin } from './apt.mjs';
import { haveHaraka, installHaraka } from './peers-haraka.mjs';
import { missingUnpacked, unpackPeers } from './peers-unpacked.mjs';
import { isMain, root, runScript, say } from './setup.mjs';

export { pathWithSbin } from './apt.mjs';

/** What tells that a package is there: a command, or a file with its whole path. */
const peers = [
  { name: 'Postfix', command: 'postfix', debian: 'postfix' },
  { name: 'Postfix lmdb', command: '/usr/lib/postfix/postfix-lmdb.so', debian: 'postfix-lmdb' },
  { name: 'Postfix cdb', command: '/usr/lib/postfix/postfix-cdb.so', debian: 'postfix-cdb' },
  { name: 'Postfix sqlite', command: '/usr/lib/postfix/postfix-sqlite.so', debian: 'postfix-sqlite' },
  { name: 'tinycdb', command: 'cdb', debian: 'tinycdb' },
  { name: 'slapd', command: 'slapd', debian: 'slapd' },
  { name: 'OpenLDAP tools', command: 'ldapmodify', debian: 'ldap-utils' },
  { name: 'Samba AD DC', command: '/usr/share/doc/samba-ad-dc', debian: 'samba-ad-dc' }, // brings samba, samba-tool and the modules
  {
    name: 'Samba AD provision',
    command: '/usr/share/samba/setup/provision.ldif',
    debian: 'samba-ad-provision',
  },
  { name: 'ldb tools', command: 'ldbmodify', debian: 'ldb-tools' },
  { name: '389-ds', command: 'ns-slapd', debian: '389-ds-base' },
  { name: 'sqlite3', command: 'sqlite3', debian: 'sqlite3' },
  { name: 'OpenSSL', command: 'openssl', debian: 'openssl' },
];

/** What only the benchmarks compare with. */
const benchPeers = [
  { name: 'Postfix ldap', command: '/usr/lib/postfix/postfix-ldap.so', debian: 'postfix-ldap' },
  { name: 'Postfix pgsql', command: '/usr/lib/postfix/postfix-pgsql.so', debian: 'postfix-pgsql' },
  { name: 'PostgreSQL', command: '/usr/share/postgresql-common/pg_wrapper', debian: 'postgresql' },
];

/**
 * Installs what is missing if it may; with `bench`, what the benchmarks compare with as well. Returns the names of what is
 * still missing, and why.
 */
export function installPeers({ bench = false } = {}) {
  const wanted = bench ? [...peers, ...benchPeers] : peers;
  const missing = () => [
    ...wanted.filter((peer) => !isThere(peer.command)),
    ...missingUnpacked(),
    ...(haveHaraka() ? [] : [{ name: 'Haraka' }]),
  ];
  if (missing().length === 0) return { missing: [], reason: '' };
  const reasons = [
    cannotInstall() ?? installDebian(wanted.filter((peer) => !isThere(peer.command))),
    haveHaraka() ? undefined : installHaraka(),
  ];
  const said = reasons.filter((reason) => reason !== undefined);
  return {
    missing: missing().map((peer) => peer.name),
    reason: said.join('; ') || 'the packages do not bring the command',
  };
}

function isThere(command) {
  if (isAbsolute(command)) return existsSync(command);
  const folders = pathWithSbin.split(':').filter((folder) => folder !== '');
  return folders.some((folder) => existsSync(join(folder, command)));
}

/** Returns the reason of a failure, or undefined. */
function installDebian(wanted) {
  rmSync(join(root, aptLog), { force: true });
  const reason = wanted.length === 0 ? undefined : aptInstall(wanted.map((peer) => peer.debian));
  // the others may be had all the same
  return unpackPeers() ?? reason;
}

function aptInstall(packages) {
  say(`Installing Debian packages for the tests: ${packages.join(' ')} …`);
  const release = holdDaemons();
  try {
    preseed();
    if (!haveLists()) apt(['update']);
    if (apt(['install', ...packages])) return undefined;
    // Old lists name versions that the mirror no longer has.
    apt(['update']);
    return apt(['install', ...packages]) ? undefined : `apt-get install failed, see ${aptLog}`;
  } finally {
    release();
  }
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

if (isMain(import.meta.url)) await runScript(() => void installPeers());
