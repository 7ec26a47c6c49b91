/**
 * Real peers (slapd, Postfix, ...) that tests want and a machine may lack.
 *
 * Promises: on a developer's machine a missing peer means skipped tests; with `CI=true` it is an error, so that a CI
 * run can never be green because half of the tests were not there. Prints nothing.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where a command stands: in PATH, or in the sbin folders that an ordinary user's PATH lacks. */
export function findCommand(command: string): string | undefined {
  if (isAbsolute(command)) return isExecutable(command) ? command : undefined;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, command))
    .find(isExecutable);
}

/**
 * True when every command is there. For `describe.skipIf(!requirePeer('slapd', ['slapd', 'slapadd']))`.
 * Throws, naming what is missing, when `CI=true`.
 */
export function requirePeer(name: string, commands: readonly string[]): boolean {
  const missing = commands.filter((command) => findCommand(command) === undefined);
  if (missing.length === 0) return true;
  if (process.env['CI'] === 'true') {
    throw new Error(
      `the peer ${name} is missing (no ${missing.join(', ')}), and with CI=true that is a failure`,
    );
  }
  return false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
