/**
 * Mail servers that Debian installs only one at a time: Exim, Sendmail and OpenSMTPD conflict with Postfix. They are
 * downloaded and unpacked under .cache/peers/NAME, and run from there in namespaces of their own (test/support).
 *
 * Promises: nothing is installed, no script of a package is run, nothing there is setuid; a folder is whole or not there;
 * the libraries that its programs need are in it or on the system. When all is there a call reads three small files.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apt, aptLog, haveLists } from './apt.mjs';
import { root, say } from './setup.mjs';

/** Where the peers stand that are not installed. */
export const peersFolder = join(root, '.cache/peers');

const unpacked = [
  {
    name: 'Exim',
    folder: 'exim',
    packages: ['exim4-daemon-heavy', 'exim4-base'],
    programs: ['usr/sbin/exim4'],
  },
  {
    name: 'Sendmail',
    folder: 'sendmail',
    packages: ['sendmail-bin', 'sendmail-base', 'sendmail-cf', 'm4'],
    programs: ['usr/libexec/sendmail/sendmail', 'usr/bin/m4'],
  },
  {
    name: 'OpenSMTPD',
    folder: 'opensmtpd',
    packages: ['opensmtpd', 'opensmtpd-extras'],
    programs: ['usr/sbin/smtpd', 'usr/libexec/opensmtpd/table-sqlite'],
  },
];

/** The unpacked servers that are not there: objects with a `name`. */
export function missingUnpacked() {
  return unpacked.filter((peer) => !isReady(peer));
}

/** Downloads and unpacks what is missing. Returns the reason of the first failure, or undefined. */
export function unpackPeers() {
  for (const peer of missingUnpacked()) {
    const reason = unpack(peer);
    if (reason !== undefined) return `${peer.name}: ${reason}`;
  }
  return undefined;
}

/** The stamp is written last, and says for which packages. */
function isReady(peer) {
  const stamp = join(peersFolder, peer.folder, '.unpacked');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === peer.packages.join(' ');
}

function unpack(peer) {
  say(`Unpacking ${peer.name} for the tests …`);
  const folder = join(peersFolder, `${peer.folder}.new-${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    if (!haveLists()) apt(['update']);
    if (!fetchInto(folder, peer.packages)) {
      // Old lists name versions that the mirror no longer has.
      apt(['update']);
      if (!fetchInto(folder, peer.packages)) return `cannot download its Debian packages, see ${aptLog}`;
    }
    const lacking = fetchLibraries(folder, peer);
    if (lacking.length > 0) return `its libraries are missing: ${lacking.join(', ')}`;
    writeFileSync(join(folder, '.unpacked'), peer.packages.join(' '));
    const place = join(peersFolder, peer.folder);
    rmSync(place, { recursive: true, force: true });
    renameSync(folder, place);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fetchInto(folder, packages) {
  const debs = join(folder, 'debs');
  mkdirSync(debs, { recursive: true });
  try {
    // The user _apt cannot write here; without this apt says so and does it all the same.
    if (!apt(['-o', 'APT::Sandbox::User=root', 'download', ...packages], debs)) return false;
    const files = readdirSync(debs).filter((file) => file.endsWith('.deb'));
    return files.every((file) => ok('dpkg', ['-x', join(debs, file), folder])) && dropSetuid(folder);
  } finally {
    rmSync(debs, { recursive: true, force: true });
  }
}

function dropSetuid(folder) {
  return ok('find', [folder, '-perm', '/6000', '-type', 'f', '-exec', 'chmod', 'ug-s', '{}', '+']);
}

/**
 * Brings the libraries that neither the folder nor the system has. Returns those that stay missing. Only what is missing
 * is fetched: the system's own copy is the one that fits the rest of the system.
 */
function fetchLibraries(folder, peer) {
  for (let round = 0; round < 4; round += 1) {
    const lacking = missingLibraries(folder, peer.programs);
    if (lacking.length === 0) return [];
    const packages = packagesOf(lacking, peer.packages);
    if (packages.length === 0 || !fetchInto(folder, packages)) return lacking;
  }
  return missingLibraries(folder, peer.programs);
}

function missingLibraries(folder, programs) {
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: libraryFolders(folder).join(':') };
  const lines = programs.flatMap((program) => {
    const { stdout } = spawnSync('ldd', [join(folder, program)], { env, encoding: 'utf8' });
    return (stdout ?? '').split('\n');
  });
  const missing = lines.flatMap((line) => /^\s*(\S+) => not found/.exec(line)?.[1] ?? []);
  return [...new Set(missing)];
}

function libraryFolders(folder) {
  const lib = join(folder, 'usr/lib');
  if (!existsSync(lib)) return [];
  return [
    lib,
    ...readdirSync(lib)
      .filter((name) => name.includes('-linux-'))
      .map((name) => join(lib, name)),
  ];
}

/** Debian names a library's package after its soname: libspf2.so.2 is in libspf2-2, libpam.so.0 in libpam0g. */
function packagesOf(sonames, packages) {
  const hide = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (what) => `--no-${what}`,
  );
  const { stdout } = spawnSync('apt-cache', ['depends', '--recurse', ...hide, ...packages], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  const candidates = (stdout ?? '').split('\n').filter((line) => line.startsWith('lib'));
  const plain = (name) => name.replace(/\.so\b/, '').replace(/[^a-z0-9]/gi, '');
  return [
    ...new Set(candidates.filter((name) => sonames.some((soname) => plain(name).startsWith(plain(soname))))),
  ];
}

function ok(command, args) {
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 2] }).status === 0;
}
