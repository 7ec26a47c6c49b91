/** The machine: Node.js, the clock, and the folder of the data. */
import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { error, ok, warn, type Finding } from './finding.js';

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return ok('node', `Node.js ${version}`);
  return error(
    'node',
    `Node.js ${version} is too old`,
    'Rollcall needs 20.19 or newer.',
    'Install a newer Node.js.',
  );
}

const releasedAt = Date.UTC(2025, 0, 1);

/** `newest`: the latest time in the database, which cannot lie in the future. */
export function checkClock(now: number, newest: number | undefined): Finding {
  const why = 'Whether a list is fresh is told by the clock: a wrong one defers mail, or trusts an old list.';
  const mend = 'Set the clock, and keep it right with NTP.';
  if (now < releasedAt) return error('clock', `it says ${new Date(now).toISOString()}`, why, mend);
  if (newest !== undefined && newest - now > 600_000) {
    return error('clock', 'it is behind a run that has ended already', why, mend);
  }
  return ok('clock', new Date(now).toISOString());
}

/** Magic numbers of statfs(2). */
const networkFileSystems: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB',
  0x517b: 'SMB',
  0x01021997: '9p',
  0x00c36400: 'Ceph',
  0x47504653: 'GPFS',
  0x0bd00bd0: 'Lustre',
};
const tmpfs = 0x01021994;
const fuse = 0x65735546;

const lowSpace = 512 * 1024 * 1024;
const noSpace = 64 * 1024 * 1024;

export function checkDataDir(dataDir: string): Finding[] {
  const folder = nearest(dataDir);
  const notYet = folder === dataDir ? '' : `it is not there yet; it would be made in ${folder}`;
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return [
      error(
        'dataDir',
        `${folder} cannot be written by this user`,
        'The databases live there.',
        `Run as the user that owns it, or: chown -R USER ${folder}`,
      ),
    ];
  }
  return [
    ok('dataDir', notYet === '' ? dataDir : `${dataDir}: ${notYet}`),
    ...checkOwner(dataDir),
    ...checkDisk(folder),
  ];
}

/** The folder, or the nearest one above it that is there. */
function nearest(folder: string): string {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined || dirname(folder) === folder) return folder;
  return nearest(dirname(folder));
}

function checkOwner(dataDir: string): Finding[] {
  const found = statSync(dataDir, { throwIfNoEntry: false });
  if (found === undefined) return [];
  const uid = process.getuid?.();
  const findings: Finding[] = [];
  if (uid !== undefined && found.uid !== uid) {
    findings.push(
      warn(
        'dataDir',
        `it belongs to user ${found.uid}, and this is user ${uid}`,
        'Files made by one user may be closed to the other.',
        'Run rollcall as the user of the service: sudo -u rollcall rollcall …',
      ),
    );
  }
  if ((found.mode & 0o007) !== 0) {
    findings.push(
      warn(
        'dataDir',
        'every user of this machine may look into it',
        'It holds the addresses of everybody.',
        `chmod o-rwx ${dataDir}`,
      ),
    );
  }
  return findings;
}

function checkDisk(folder: string): Finding[] {
  const { type, bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const findings: Finding[] = [];
  const network = networkFileSystems[type];
  if (network !== undefined) {
    const why =
      'SQLite needs locks and shared memory that network file systems do not give: data can be damaged.';
    findings.push(error('dataDir', `it is on ${network}`, why, 'Put dataDir on a local disk.'));
  }
  if (type === fuse) {
    const why = 'Behind it may be a network, where SQLite cannot lock.';
    findings.push(warn('dataDir', 'it is on a FUSE file system', why, 'Put dataDir on a local disk.'));
  }
  if (type === tmpfs) {
    const why =
      'All lists and their history are gone after a reboot, and mail is deferred until the next sync.';
    findings.push(warn('dataDir', 'it is in memory (tmpfs)', why, 'Put dataDir on a disk.'));
  }
  if (free < lowSpace) {
    const what = `${Math.floor(free / 1024 / 1024)} MiB are free`;
    const why = 'A run on a full disk fails, and the list grows old.';
    findings.push((free < noSpace ? error : warn)('dataDir', what, why, 'Make room.'));
  }
  return findings;
}
